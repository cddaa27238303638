// A person sets up an authenticator app on the hosted pages, loses it, and is asked for it again: a browser, the management API, and openid-client.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oidc from 'openid-client';
import { startBrowser } from './browser.mjs';
import { apiKey, password, people, unique, uniqueEmail } from './demo.mjs';
import { accessClaims, authorization, clientFor } from './oauth.mjs';
import { startServer } from './server.mjs';
import { freshTotp } from './totp.mjs';

const mfa = 'urn:atrium:acr:mfa';
const single = 'urn:atrium:acr:1fa';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'factors' });
  browser = await startBrowser(server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A call of the management API; its data. */
async function manage(method, path, body) {
  const response = await fetch(`${server.url}/v1/realms/acme${path}`, {
    method,
    headers: { Authorization: `Bearer ${apiKey}`, ...(body && { 'Content-Type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text).data : undefined;
}

const newPerson = () => manage('POST', '/users', { email: uniqueEmail(), email_verified: true, password });

/** Reads the key on the page, types its code, and keeps the recovery codes. */
async function setUp(person, { signOutOthers = false } = {}) {
  const { page } = person;
  await page.locator('img.qr').waitFor();
  const secret = (await page.locator('.key code').innerText()).replaceAll(' ', '');
  assert.match(await page.locator('img.qr').getAttribute('src'), /^data:image\/png;base64,/);
  assert.ok((await page.locator('a[href^="otpauth:"]').getAttribute('href')).includes(`secret=${secret}`));
  await person.enterCode(await freshTotp(secret));
  await page.locator('.recovery').waitFor();
  const codes = await page.locator('.recovery code').allInnerTexts();
  if (signOutOthers) await page.getByLabel('Sign out everywhere else').check();
  await page.getByRole('button', { name: 'I have kept them' }).click();
  return { secret, codes };
}

async function enterRecoveryCode(person, code) {
  await person.page.getByRole('link', { name: 'Use a recovery code' }).click();
  await person.page.getByLabel('Recovery code').fill(code);
  await person.page.getByRole('button', { name: 'Continue' }).click();
}

describe('An organization that asks for a second factor', () => {
  let strict;
  let app;
  let user;
  let kept;
  before(async () => {
    strict = await manage('POST', '/organizations', { name: unique('strict'), settings: { mfa_required: true } });
    const client = await manage('POST', '/clients', {
      name: 'Strict app', type: 'spa', redirect_uris: ['http://localhost:3000/callback'], settings: { tokens: { profile: 'single_org' } },
    });
    user = await newPerson();
    await manage('POST', `/organizations/${strict.id}/members`, { user_id: user.id, scopes: ['member'] });
    app = await clientFor(server, client.client_id);
  });

  test('lets its person set up an app in the sign-in, and in', async () => {
    const person = await browser.person();
    const request = await authorization(app);
    await person.open(request.url);
    await person.enterPassword(user.email);
    kept = await setUp(person);
    assert.equal(new Set(kept.codes).size, 10);
    const tokens = await request.redeem(await person.arrival());
    const access = await accessClaims(server, tokens.access_token, app.clientMetadata().client_id);
    assert.equal(access.org_id, strict.id);
    assert.deepEqual(tokens.claims().amr, ['pwd', 'otp', 'mfa']);
    assert.equal(access.acr, mfa);
    await person.close();
  });

  test('asks for the code of the app the next time', async () => {
    const person = await browser.person();
    const request = await authorization(app);
    const tokens = await request.redeem(await person.signIn(request.url, user.email, { totpSecret: kept.secret }));
    assert.equal(tokens.claims().acr, mfa);
    await person.close();
  });

  test('takes a recovery code instead, once', async () => {
    for (const first of [true, false]) {
      const person = await browser.person();
      const request = await authorization(app);
      await person.open(request.url);
      await person.enterPassword(user.email);
      await enterRecoveryCode(person, kept.codes[0]);
      if (first) {
        const tokens = await request.redeem(await person.arrival());
        assert.deepEqual(tokens.claims().amr, ['pwd', 'otp', 'mfa']);
      } else {
        await person.page.getByRole('alert').waitFor();
        assert.match(await person.page.getByRole('alert').innerText(), /was used before/);
        await person.page.getByRole('link', { name: 'Use the authenticator app instead' }).click();
        await person.page.locator('input[name=code]').waitFor();
      }
      await person.close();
    }
    assert.equal((await manage('GET', `/users/${user.id}/recovery-codes`)).remaining, 9);
  });

  test('takes the codes that a back end made anew, and the old ones no more', async () => {
    const { codes } = await manage('POST', `/users/${user.id}/recovery-codes`);
    const person = await browser.person();
    const request = await authorization(app);
    await person.open(request.url);
    await person.enterPassword(user.email);
    await enterRecoveryCode(person, kept.codes[1]);
    await person.page.getByRole('alert').waitFor();
    await person.page.getByLabel('Recovery code').fill(codes[1].toUpperCase().replaceAll('-', ''));
    await person.page.getByRole('button', { name: 'Continue' }).click();
    await request.redeem(await person.arrival());
    await person.close();
  });
});

describe('Step-up', () => {
  test('asks a standing session for what it has not shown, and tokens say so', async () => {
    const web = await clientFor(server, 'demo-web');
    assert.deepEqual(web.serverMetadata().acr_values_supported, [single, mfa]);
    const user = await newPerson();
    const person = await browser.person();
    let request = await authorization(web);
    const before = await request.redeem(await person.signIn(request.url, user.email));
    assert.deepEqual([before.claims().acr, before.claims().amr], [single, ['pwd']]);

    request = await authorization(web, { acr_values: mfa, prompt: 'none' });
    const refused = await person.comesBack(request.url);
    assert.equal(refused.searchParams.get('error'), 'interaction_required');

    request = await authorization(web, { acr_values: mfa });
    await person.open(request.url);
    const { secret } = await setUp(person, { signOutOthers: true });
    const after = await request.redeem(await person.arrival());
    assert.deepEqual([after.claims().acr, after.claims().amr], [mfa, ['pwd', 'otp', 'mfa']]);
    assert.notEqual(after.claims().sid, before.claims().sid);
    assert.ok(after.claims().auth_time >= before.claims().auth_time);
    assert.equal((await accessClaims(server, after.access_token, 'demo-web')).acr, mfa);

    // What the first tokens hang on is this browser's own session: it was not signed out with the others.
    assert.ok((await oidc.refreshTokenGrant(web, before.refresh_token)).access_token);

    // Met already, so silent; with an age that is over, the password and the code again.
    request = await authorization(web, { acr_values: mfa, prompt: 'none', max_age: '10000' });
    const silent = await request.redeem(await person.comesBack(request.url), undefined);
    assert.equal(silent.claims().auth_time, after.claims().auth_time);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    request = await authorization(web, { acr_values: mfa, max_age: '1' });
    const fresh = await request.redeem(await person.signIn(request.url, user.email, { totpSecret: secret }));
    assert.ok(fresh.claims().auth_time > after.claims().auth_time);
    assert.equal(fresh.claims().acr, mfa);
    await person.close();
  });
});

describe('Selecting an account', () => {
  test('goes on as the one who is signed in, or as another', async () => {
    const web = await clientFor(server, 'demo-web');
    const person = await browser.person();
    let request = await authorization(web);
    const mias = await request.redeem(await person.signIn(request.url, people.mia));

    request = await authorization(web, { prompt: 'select_account' });
    await person.open(request.url);
    await person.page.getByRole('button', { name: 'Continue as Mia' }).click();
    assert.equal((await request.redeem(await person.arrival())).claims().sub, mias.claims().sub);

    request = await authorization(web, { prompt: 'select_account', login_hint: people.sam });
    await person.open(request.url);
    await person.page.getByRole('button', { name: 'Use another account' }).click();
    await person.page.locator('input[name=password]').waitFor();
    assert.equal(await person.page.locator('input[name=email]').inputValue(), people.sam);
    await person.enterPassword(people.sam);
    assert.notEqual((await request.redeem(await person.arrival())).claims().sub, mias.claims().sub);
    await person.close();
  });
});
