// A real browser for the hosted pages, and a real page for the application that it comes back to.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { password as demoPassword } from './demo.mjs';
import { freshTotp } from './totp.mjs';

const executablePath = process.env.ATRIUM_CHROMIUM ?? '/usr/bin/chromium';
const patience = 15_000;

/**
 * Starts the browser and, for `http://localhost:3000`, an application of ours on another port: the browser is told to look there,
 * so that a registered redirect address works whatever listens on port 3000 of this machine. A server of two nodes has a port for browsers.
 */
export async function startBrowser(server) {
  const arrivals = [];
  let wake = () => {};
  const application = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost:3000');
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>application</title>');
    if (url.pathname !== '/callback') return;
    arrivals.push(url);
    wake();
  });
  await new Promise((resolve) => application.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      `--host-resolver-rules=MAP localhost:3000 127.0.0.1:${application.address().port},`
        + `MAP localhost:${server.port} 127.0.0.1:${server.browserPort ?? server.port}`,
    ],
  }).catch((error) => {
    application.close();
    throw error;
  });

  // A profile that somebody has left is as good as a new one without its cookies, and its process need not be started.
  const profiles = [];
  async function newProfile() {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    context.setDefaultTimeout(patience);
    return { context, page: await context.newPage() };
  }

  /** The next arrival at the application's callback; the text of the page that the browser shows instead when none comes. */
  async function arrival(page) {
    const deadline = Date.now() + patience;
    while (arrivals.length === 0) {
      const left = deadline - Date.now();
      if (left <= 0) {
        const text = await page.locator('body').innerText().catch(() => '(no page)');
        assert.fail(`the browser never came back to the application; it is at ${page.url()} and shows:\n${text}`);
      }
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 250));
        wake = () => { clearTimeout(timer); resolve(); };
      });
    }
    // The application has been asked; the next navigation of a test would still cross with this one until the page is there.
    const url = arrivals.shift();
    await page.waitForURL((at) => at.pathname === url.pathname && at.search === url.search);
    return url;
  }

  return {
    /** A browser profile of its own: no cookies, nobody signed in; it takes the certificate that a test's proxy made for itself. */
    async person() {
      arrivals.length = 0;
      const { context, page } = profiles.pop() ?? await newProfile();
      return {
        page,
        context,
        async close() {
          await Promise.all(context.pages().map((one) => (one === page ? page.goto('about:blank') : one.close())));
          await context.clearCookies();
          profiles.push({ context, page });
        },
        open: (url) => page.goto(String(url)),
        /** Opens an authorization address that must come back without a person's help. */
        async comesBack(url) {
          await page.goto(String(url)).catch(() => {}); // a redirect that overtakes the navigation is no failure
          return arrival(page);
        },
        /** Fills in the sign-in page and sends it. */
        async enterPassword(email, password = demoPassword) {
          await page.locator('input[name=email]').fill(email);
          await page.locator('input[name=password]').fill(password);
          await submit(page);
        },
        async enterCode(code) {
          await page.locator('input[name=code]').fill(code);
          await submit(page);
        },
        /** From an authorization address through the sign-in page, and the code page where there is a secret, to the callback. */
        async signIn(url, email, { password, totpSecret } = {}) {
          await page.goto(String(url));
          await this.enterPassword(email, password);
          if (totpSecret) {
            await page.locator('input[name=code]').waitFor();
            await this.enterCode(await freshTotp(totpSecret));
          }
          return arrival(page);
        },
        arrival: () => arrival(page),
      };
    },
    async close() {
      await browser.close();
      application.closeAllConnections();
      await new Promise((resolve) => application.close(resolve));
    },
  };
}

const submit = (page) => page.locator('button[type=submit], input[type=submit]').first().click();
