// Two nodes behind a proxy that ends TLS: what the world sees is https, and who is there is whom the proxy says.
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { application, authenticators } from './asgardeo.mjs';
import { startBrowser } from './browser.mjs';
import { nativeCallback, newUser, password, people, workosFor } from './demo.mjs';
import { startNodes } from './nodes.mjs';
import { accessClaims, authorization, clientFor, issuerOf } from './oauth.mjs';
import { launch } from './server.mjs';

// The proxy's certificate is its own.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

let server;
let browser;
before(async () => {
  server = await startNodes({ name: 'proxy', tls: true, args: ['--trusted-proxies', '127.0.0.1'] });
  browser = await startBrowser(server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

describe('Behind a proxy with TLS', () => {
  test('a browser signs in over https, and keeps cookies of this host alone', async () => {
    const web = await clientFor(server, 'demo-web');
    assert.equal(web.serverMetadata().issuer, issuerOf(server));
    const person = await browser.person();
    try {
      const { url, redeem } = await authorization(web);
      const tokens = await redeem(await person.signIn(url, people.mia));
      assert.equal((await accessClaims(server, tokens.access_token, tokens.claims().aud)).iss, issuerOf(server));
      const cookies = (await person.context.cookies(server.url))
        .filter(({ name }) => name.includes('atrium'))
        .map(({ name, domain, path, secure, httpOnly, sameSite }) => ({ name, domain, path, secure, httpOnly, sameSite }))
        .sort((one, other) => one.name.localeCompare(other.name));
      const ofThisHost = { domain: 'localhost', path: '/', secure: true };
      assert.deepEqual(cookies, [
        { name: '__Host-atrium_browser.acme', ...ofThisHost, httpOnly: true, sameSite: 'Lax' },
        { name: '__Host-atrium_session.acme', ...ofThisHost, httpOnly: true, sameSite: 'Lax' },
        // It opens nothing: the script of check_session reads it inside the pages of other sites.
        { name: '__Host-atrium_state.acme', ...ofThisHost, httpOnly: false, sameSite: 'None' },
      ]);
      const again = await authorization(web, { prompt: 'none' });
      await again.redeem(await person.comesBack(again.url));
    } finally {
      await person.close();
    }
  });

  test('browsers are told to stay with https', async () => {
    const page = await fetch(server.url);
    assert.equal(page.headers.get('strict-transport-security'), 'max-age=31536000');
  });

  test('a back end signs somebody in at the AuthKit door', async () => {
    const { userManagement } = workosFor(server);
    const person = await newUser(server);
    const { accessToken, refreshToken } = await userManagement.authenticateWithPassword({ email: person.email, password });
    assert.ok(accessToken);
    assert.ok((await userManagement.authenticateWithRefreshToken({ refreshToken })).accessToken);
  });

  test('an app signs somebody in at the app-native door', async () => {
    const app = await application(server);
    const flow = await app.start();
    assert.ok(flow.links[0].href.startsWith(`${server.url}/`));
    const tokens = await app.tokens(await app.answer(flow, authenticators.basic, { username: people.mia, password }));
    assert.ok(tokens.accessToken);
  });

  test('a session has the address of the person, whatever the person says it is', async () => {
    for (const spoofed of [undefined, '203.0.113.7', '127.0.0.1, 127.0.0.1']) {
      const person = await newUser(server);
      await signInFrom('127.0.0.2', person.email, spoofed && { 'X-Forwarded-For': spoofed });
      const { data } = await workosFor(server).userManagement.listSessions(person.id);
      assert.deepEqual(data.map(({ ipAddress }) => ipAddress), ['127.0.0.2'], `the person said ${spoofed}`);
    }
  });

  test('a list of proxies with anything else in it is refused before anything is opened', async () => {
    const attempt = launch(['--trusted-proxies', '127.0.0.1,proxy.example.com', '--database', 'Data Source=/nowhere/at/all.db'], { name: 'proxy' });
    const { code } = await attempt.exited;
    assert.equal(code, 1);
    assert.match(attempt.output(), /^atrium: --trusted-proxies: "proxy\.example\.com" is neither an address nor a network/m);
  });
});

/** A sign-in at the app-native door, over connections from that address of this machine. */
async function signInFrom(localAddress, username, headers) {
  const started = await post('oauth2/authorize', 'application/x-www-form-urlencoded', new URLSearchParams({
    client_id: 'demo-native', response_type: 'code', response_mode: 'direct', redirect_uri: nativeCallback, scope: 'openid', state: 's',
  }).toString());
  const done = await post('oauth2/authn', 'application/json', JSON.stringify({
    flowId: started.flowId, selectedAuthenticator: { authenticatorId: authenticators.basic, params: { username, password } },
  }));
  assert.equal(done.flowStatus, 'SUCCESS_COMPLETED', JSON.stringify(done));

  function post(path, type, body) {
    return new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1', port: server.port, path: `/t/acme/${path}`, method: 'POST', localAddress, agent: false,
        headers: { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ...headers },
      }, async (answer) => resolve(JSON.parse((await answer.toArray()).join(''))));
      sent.once('error', reject).end(body);
    });
  }
}
