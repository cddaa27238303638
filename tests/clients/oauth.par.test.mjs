// OAuth/OIDC: pushed authorization requests, resource indicators and the issuer in the response, with openid-client 6, oauth4webapi 3 and jose 6.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { startBrowser } from './browser.mjs';
import { callback, people } from './demo.mjs';
import { accessClaims, authorization, clientFor, issuerOf, oauthError } from './oauth.mjs';
import { startServer } from './server.mjs';

const api = 'https://api.example.test';
const insecure = { [oauth.allowInsecureRequests]: true };

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'oauth.par' });
  browser = await startBrowser(server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Refused by the client itself, because of the issuer: oauth4webapi says so, openid-client names it as the cause. */
const otherIssuer = (error) => /"iss"/.test(`${error.message} ${error.cause?.message}`);

/** The parameters of a request with PKCE, and what its answer is checked against. */
async function request(more = {}) {
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
  const parameters = {
    redirect_uri: callback, scope: 'openid email', state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: 'S256', ...more,
  };
  return { parameters, checks };
}

describe('With openid-client, a pushed request', () => {
  for (const [clientId, authentication] of [['demo-web', oidc.None()], ['demo-server', oidc.ClientSecretBasic('demo-server-secret')]]) {
    test(`of ${clientId} leads to tokens for the resource that it names, and to nothing a second time`, async () => {
      const config = await clientFor(server, clientId, authentication);
      const { parameters, checks } = await request({ resource: api });
      const url = await oidc.buildAuthorizationUrlWithPAR(config, parameters);
      assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri']);
      const person = await browser.person();
      const tokens = await oidc.authorizationCodeGrant(config, await person.signIn(url, people.sam), { ...checks, idTokenExpected: true });
      const access = await accessClaims(server, tokens.access_token, api);
      assert.deepEqual([access.aud, access.client_id], [api, clientId]);
      assert.equal(tokens.claims().aud, clientId);
      const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token, { resource: api });
      assert.equal((await accessClaims(server, refreshed.access_token, api)).aud, api);
      assert.equal((await oauthError(oidc.refreshTokenGrant(config, refreshed.refresh_token, { resource: 'https://other.example.test' }))).error, 'invalid_target');

      await person.open(url);
      assert.match(await person.page.locator('body').innerText(), /ATR1246/);
      await person.close();
    });
  }

  test('that breaks a rule is refused before any browser is asked', async () => {
    const config = await clientFor(server, 'demo-web');
    const { parameters } = await request({ code_challenge_method: 'plain' });
    assert.deepEqual(await oauthError(oidc.buildAuthorizationUrlWithPAR(config, parameters)).then(({ error, status }) => [error, status]), ['invalid_request', 400]);
    const wrong = await clientFor(server, 'demo-server', oidc.ClientSecretPost('wrong'));
    assert.equal((await oauthError(oidc.buildAuthorizationUrlWithPAR(wrong, (await request()).parameters))).error, 'invalid_client');
  });
});

describe('With oauth4webapi, a pushed request', () => {
  test('passes its strict checks from the push to the access token', async () => {
    const issuer = new URL(issuerOf(server));
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
    const client = { client_id: 'demo-server' };
    const authentication = oauth.ClientSecretBasic('demo-server-secret');
    const { parameters, checks } = await request({ response_type: 'code', resource: api });
    const answer = await oauth.pushedAuthorizationRequest(as, client, authentication, new URLSearchParams(parameters), insecure);
    assert.match(answer.headers.get('cache-control'), /no-store/);
    const pushed = await oauth.processPushedAuthorizationResponse(as, client, answer);
    assert.match(pushed.request_uri, /^urn:ietf:params:oauth:request_uri:[\w-]{43}$/);
    assert.equal(pushed.expires_in, 60);

    const url = new URL(as.authorization_endpoint);
    url.search = new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri });
    const person = await browser.person();
    const arrived = oauth.validateAuthResponse(as, client, await person.signIn(url, people.sam), checks.expectedState);
    const redeemed = await oauth.authorizationCodeGrantRequest(as, client, authentication, arrived, callback, checks.pkceCodeVerifier, insecure);
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, redeemed, { expectedNonce: checks.expectedNonce, requireIdToken: true });
    const call = new Request(`${api}/things`, { headers: { Authorization: `Bearer ${tokens.access_token}` } });
    assert.equal((await oauth.validateJwtAccessToken(as, call, api, insecure)).aud, api);
    await person.close();
  });
});

describe('The issuer in the authorization response', () => {
  test('tells answers of two realms apart', async () => {
    const config = await clientFor(server, 'demo-web');
    assert.equal(config.serverMetadata().authorization_response_iss_parameter_supported, true);
    const person = await browser.person();
    const asked = await authorization(config);
    const arrival = await person.signIn(asked.url, people.sam);
    assert.equal(arrival.searchParams.get('iss'), issuerOf(server));

    const mixedUp = new URL(arrival);
    mixedUp.searchParams.set('iss', `${server.url}/t/globex`);
    await assert.rejects(asked.redeem(mixedUp), otherIssuer);
    const without = new URL(arrival);
    without.searchParams.delete('iss');
    await assert.rejects(asked.redeem(without), otherIssuer);

    const globex = new URL(`${server.url}/t/globex`);
    const other = await oauth.processDiscoveryResponse(globex, await oauth.discoveryRequest(globex, insecure));
    assert.throws(() => oauth.validateAuthResponse(other, { client_id: 'demo-web' }, arrival, arrival.searchParams.get('state')), otherIssuer);
    assert.ok((await asked.redeem(arrival)).access_token, 'nobody has sent the code to the wrong server');
    await person.close();
  });

  test('stands beside errors too', async () => {
    const config = await clientFor(server, 'demo-web');
    const person = await browser.person();
    const asked = await authorization(config, { prompt: 'none' });
    const arrival = await person.comesBack(asked.url);
    assert.deepEqual([arrival.searchParams.get('error'), arrival.searchParams.get('iss')], ['login_required', issuerOf(server)]);
    assert.equal((await oauthError(asked.redeem(arrival))).error, 'login_required');
    arrival.searchParams.set('iss', `${server.url}/t/globex`);
    await assert.rejects(asked.redeem(arrival), otherIssuer);
    await person.close();
  });
});
