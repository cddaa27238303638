// The ways out: openid-client's end-session URL, a logout token verified with jose, the frames of the signed-out page and the check page in a browser.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { startBrowser } from './browser.mjs';
import { apiKey, callback, people, unique } from './demo.mjs';
import { authorization, clientFor, issuerOf, oauthError } from './oauth.mjs';
import { startServer } from './server.mjs';

const signedOut = 'http://localhost:3000/';

describe('Signing out', () => {
  let server;
  let browser;
  let application;
  let person;

  before(async () => {
    server = await startServer({ name: 'oauth.logout' });
    browser = await startBrowser(server);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    application = await listen();
    person = await browser.person();
  });
  afterEach(async () => {
    await person.close();
    await application.close();
  });

  /** A public client whose settings tell it of the end of a session, configured for openid-client. */
  async function client(logout) {
    const clientId = unique('rp');
    const response = await fetch(`${server.url}/v1/realms/acme/clients`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: clientId, name: 'Application', type: 'spa', redirect_uris: [callback, `${application.url}/callback`],
        post_logout_redirect_uris: [signedOut], settings: { logout },
      }),
    });
    assert.equal(response.status, 201, await response.clone().text());
    return clientFor(server, clientId);
  }

  async function signIn(config) {
    const request = await authorization(config);
    const arrival = await person.signIn(request.url, people.sam);
    return { arrival, tokens: await request.redeem(new URL(arrival)) };
  }

  test('openid-client builds the address that ends the session and leads back', async () => {
    const config = await client({});
    const { tokens } = await signIn(config);
    await person.open(oidc.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token, post_logout_redirect_uri: signedOut, state: 'the-state',
    }));
    await person.page.waitForURL(`${signedOut}?state=the-state`);
    assert.equal((await oauthError(oidc.refreshTokenGrant(config, tokens.refresh_token))).error, 'invalid_grant');
    const silent = await authorization(config, { prompt: 'none' });
    assert.equal((await person.comesBack(silent.url)).searchParams.get('error'), 'login_required');
  });

  test('without a hint the person is asked, and a click is enough', async () => {
    const config = await client({});
    await signIn(config);
    await person.open(oidc.buildEndSessionUrl(config, { post_logout_redirect_uri: signedOut }));
    await person.page.getByRole('button', { name: 'Sign out' }).click();
    await person.page.waitForURL(signedOut);
  });

  test('the application’s server is told, by a token that jose verifies', async () => {
    const config = await client({ backchannel_uri: `${application.url}/backchannel`, backchannel_session_required: true });
    const { tokens } = await signIn(config);
    await person.open(oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token }));
    const message = await application.arrived('/backchannel');
    assert.equal(message.method, 'POST');
    const token = new URLSearchParams(message.body).get('logout_token');
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri)), {
      issuer: issuerOf(server), audience: config.clientMetadata().client_id, typ: 'logout+jwt', algorithms: ['ES256'], maxTokenAge: '2m',
    });
    assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });
    assert.equal(payload.sid, tokens.claims().sid);
    assert.equal(payload.sub, tokens.claims().sub);
    assert.ok(payload.jti);
    assert.ok(!('nonce' in payload));
  });

  test('the application’s page is loaded in a frame, and the browser goes on by itself', async () => {
    const config = await client({ frontchannel_uri: `${application.url}/frontchannel`, frontchannel_session_required: true });
    const { tokens } = await signIn(config);
    await person.open(oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: signedOut, state: 's' }));
    const framed = await application.arrived('/frontchannel');
    assert.equal(framed.url.searchParams.get('iss'), issuerOf(server));
    assert.equal(framed.url.searchParams.get('sid'), tokens.claims().sid);
    await person.page.waitForURL(`${signedOut}?state=s`);
  });

  test('the check page says unchanged while the session is, and changed after another sign-in and after the sign-out', async () => {
    const config = await client({});
    const { arrival, tokens } = await signIn(config);
    const clientId = config.clientMetadata().client_id;
    // A page of the origin that the answer was made for.
    await person.open(signedOut);
    const ask = (sessionState) => person.page.evaluate(([address, message]) => new Promise((resolve, reject) => {
      const frame = document.createElement('iframe');
      const origin = new URL(address).origin;
      const done = ({ data, origin: from }) => {
        if (from !== origin) return;
        window.removeEventListener('message', done);
        frame.remove();
        resolve(data);
      };
      window.addEventListener('message', done);
      frame.addEventListener('load', () => frame.contentWindow.postMessage(message, origin));
      setTimeout(() => reject(new Error('no answer')), 10_000);
      frame.src = address;
      document.body.append(frame);
    }), [config.serverMetadata().check_session_iframe, `${clientId} ${sessionState}`]);

    const first = arrival.searchParams.get('session_state');
    assert.equal(await ask(first), 'unchanged');
    assert.equal(await ask(first), 'unchanged');
    assert.equal(await ask('nonsense'), 'error');
    assert.equal(await ask(`${first}x`), 'changed');

    const again = await authorization(config, { prompt: 'login' });
    const second = (await person.signIn(again.url, people.sam)).searchParams.get('session_state');
    await person.open(signedOut);
    assert.equal(await ask(first), 'changed');
    assert.equal(await ask(second), 'unchanged');

    await person.open(oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token }));
    await person.open(signedOut);
    assert.equal(await ask(second), 'changed');
  });
});

/** An application's own server on a loopback port: it keeps what comes. */
async function listen() {
  const came = [];
  let wake = () => {};
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>application</title>');
    came.push({ method: request.method, url: new URL(request.url, 'http://localhost'), body });
    wake();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async arrived(path) {
      const deadline = Date.now() + 15_000;
      for (;;) {
        const found = came.find(({ url }) => url.pathname === path);
        if (found) return found;
        const left = deadline - Date.now();
        assert.ok(left > 0, `nothing came to ${path}`);
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, left);
          wake = () => { clearTimeout(timer); resolve(); };
        });
      }
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
