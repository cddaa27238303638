// OAuth/OIDC: the code flow through the hosted pages, with openid-client 6, jose 6 and a real browser.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { startBrowser } from './browser.mjs';
import { callback, organizationIds, people, tomsSecret } from './demo.mjs';
import { accessClaims, authorization, clientFor, issuerOf, oauthError } from './oauth.mjs';
import { startServer } from './server.mjs';
import { wrongTotp } from './totp.mjs';

let server;
let browser;
let organizations;
let web;
before(async () => {
  server = await startServer({ name: 'oauth.signin' });
  browser = await startBrowser(server);
  organizations = await organizationIds(server);
  web = await clientFor(server, 'demo-web');
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Signs a person in to demo-web in a browser profile of their own. */
async function signIn(email, parameters = {}, options = {}) {
  const person = await browser.person();
  const request = await authorization(web, parameters);
  const arrival = await person.signIn(request.url, email, options);
  return { person, arrival, request, tokens: await request.redeem(arrival) };
}

describe('Discovery', () => {
  test('says what the server can do, and nothing that it cannot', () => {
    const metadata = web.serverMetadata();
    assert.equal(metadata.issuer, issuerOf(server));
    for (const [key, path] of Object.entries({
      authorization_endpoint: 'authorize', token_endpoint: 'token', userinfo_endpoint: 'userinfo', jwks_uri: 'jwks.json' })) {
      assert.equal(metadata[key], `${issuerOf(server)}/${path}`);
    }
    assert.equal(metadata.authorization_response_iss_parameter_supported, true);
    assert.deepEqual(metadata.response_types_supported, ['code']);
    assert.deepEqual(metadata.code_challenge_methods_supported, ['S256']);
    assert.ok(metadata.id_token_signing_alg_values_supported.includes('ES256'));
    for (const grant of ['authorization_code', 'refresh_token', 'client_credentials']) {
      assert.ok(metadata.grant_types_supported.includes(grant), grant);
    }
    assert.ok(!metadata.grant_types_supported.includes('password'));
  });
});

describe('Signing in through the hosted page', () => {
  test('brings a code with the issuer, and tokens that verify', async () => {
    const { person, arrival, tokens } = await signIn(people.mia);
    assert.equal(arrival.searchParams.get('iss'), issuerOf(server));
    assert.equal(tokens.token_type.toLowerCase(), 'bearer');
    assert.equal(tokens.expires_in, 1800);
    const access = await accessClaims(server, tokens.access_token, 'demo-web');
    assert.match(access.sub, /^usr_[0-9a-z]{25}$/);
    assert.equal(access.client_id, 'demo-web');
    assert.equal(access.exp - access.iat, 1800);
    assert.match(access.sid, /^s_[0-9a-z]{25}$/);
    assert.deepEqual(access.scope.split(' ').sort(), ['email', 'openid', 'profile']);
    assert.equal(decodeProtectedHeader(tokens.id_token).alg, 'ES256');
    const identity = tokens.claims();
    assert.equal(identity.sub, access.sub);
    assert.ok(Math.abs(identity.auth_time - Date.now() / 1000) < 60);
    await person.close();
  });

  test('puts the same organizations into the access token, the ID token and the userinfo answer', async () => {
    const { person, tokens } = await signIn(people.mia);
    const access = await accessClaims(server, tokens.access_token, 'demo-web');
    const userinfo = await oidc.fetchUserInfo(web, tokens.access_token, access.sub);
    assert.deepEqual(access.organizations.map((entry) => entry.id).sort(), [organizations.northwind, organizations.contoso].sort());
    const northwind = access.organizations.find((entry) => entry.id === organizations.northwind);
    assert.equal(northwind.title, 'Founder');
    assert.deepEqual(northwind.scopes, ['owner', 'billing:write']);
    assert.ok(Number.isInteger(northwind.joined_at) && northwind.joined_at < 10_000_000_000, 'joined_at counts seconds');
    const contoso = access.organizations.find((entry) => entry.id === organizations.contoso);
    assert.equal(contoso.title, null);
    assert.deepEqual(contoso.scopes, ['member', 'projects:read']);
    assert.deepEqual(Object.keys(contoso).sort(), ['id', 'joined_at', 'scopes', 'title']);
    const asText = JSON.stringify(access.organizations);
    assert.equal(JSON.stringify(tokens.claims().organizations), asText);
    assert.equal(JSON.stringify(userinfo.organizations), asText);
    assert.equal(userinfo.email, people.mia);
    assert.equal(userinfo.email_verified, true);
    await person.close();
  });

  test('gives a person of no organization an empty array', async () => {
    const { person, tokens } = await signIn(people.zoe);
    const access = await accessClaims(server, tokens.access_token, 'demo-web');
    assert.deepEqual(access.organizations, []);
    assert.deepEqual(tokens.claims().organizations, []);
    assert.deepEqual((await oidc.fetchUserInfo(web, tokens.access_token, access.sub)).organizations, []);
    await person.close();
  });

  test('has fields with labels, in a page that needs no script', async () => {
    const { page, close, open } = await browser.person();
    await open((await authorization(web)).url);
    for (const name of ['email', 'password']) {
      const labels = await page.locator(`input[name=${name}]`).evaluate((input) =>
        [...(input.labels ?? [])].map((label) => label.textContent.trim()).join('') || input.getAttribute('aria-label'));
      assert.ok(labels, `${name} has no label`);
    }
    assert.equal(await page.locator('input[name=password]').getAttribute('type'), 'password');
    assert.equal(await page.locator('script').count(), 0);
    assert.ok(await page.title());
    await close();
  });

  test('refuses a wrong password with a word, and lets the person try again', async () => {
    const person = await browser.person();
    const request = await authorization(web);
    await person.open(request.url);
    await person.enterPassword(people.sam, 'Wrong-Passw0rd!');
    await person.page.locator('[role=alert]').waitFor();
    assert.ok((await person.page.locator('[role=alert]').innerText()).length > 0);
    assert.ok(person.page.url().startsWith(server.url));
    await person.enterPassword(people.sam);
    const tokens = await request.redeem(await person.arrival());
    assert.equal(tokens.claims().organizations.length, 1);
    await person.close();
  });

  test('asks a person with a second factor for the code, and lets a wrong one be corrected', async () => {
    const person = await browser.person();
    const request = await authorization(web);
    await person.open(request.url);
    await person.enterPassword(people.tom);
    await person.page.locator('input[name=code]').waitFor();
    assert.ok(person.page.url().startsWith(server.url));
    await person.enterCode(wrongTotp(tomsSecret));
    await person.page.locator('[role=alert]').waitFor();
    await person.page.locator('input[name=code]').waitFor();
    const again = await browser.person();
    const other = await authorization(web);
    const arrival = await again.signIn(other.url, people.tom, { totpSecret: tomsSecret });
    const tokens = await other.redeem(arrival);
    assert.deepEqual(tokens.claims().organizations.map((entry) => entry.id), [organizations.contoso]);
    await again.close();
    await person.close();
  });
});

describe('Refusals of the code flow', () => {
  test('an unregistered redirect address is shown to the person and never followed', async () => {
    const person = await browser.person();
    const { url } = await authorization(web, { redirect_uri: 'http://localhost:3000/elsewhere' });
    const answer = await person.open(url);
    assert.equal(answer.status(), 400);
    assert.ok(person.page.url().startsWith(server.url));
    await person.close();
  });

  test('an unknown client is shown to the person and never followed', async () => {
    const { url } = await authorization(web, { client_id: 'nobody' });
    const answer = await fetch(url, { redirect: 'manual' });
    assert.equal(answer.status, 400);
    assert.equal(answer.headers.get('location'), null);
  });

  test('a public client without PKCE is sent back with invalid_request before anybody signs in', async () => {
    const person = await browser.person();
    const url = oidc.buildAuthorizationUrl(web, { redirect_uri: callback, scope: 'openid', state: 's' });
    const arrival = await person.comesBack(url);
    assert.equal(arrival.searchParams.get('error'), 'invalid_request');
    assert.equal(arrival.searchParams.get('state'), 's');
    assert.equal(arrival.searchParams.get('iss'), issuerOf(server));
    await person.close();
  });

  test('prompt=none without a session answers login_required', async () => {
    const person = await browser.person();
    const request = await authorization(web, { prompt: 'none' });
    const arrival = await person.comesBack(request.url);
    assert.equal((await oauthError(request.redeem(arrival))).error, 'login_required');
    await person.close();
  });

  test('a code is worth tokens once, and only with its verifier', async () => {
    const person = await browser.person();
    const request = await authorization(web);
    const arrival = await person.signIn(request.url, people.sam);
    const stolen = await oauthError(oidc.authorizationCodeGrant(web, arrival, {
      pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
      expectedState: arrival.searchParams.get('state'), expectedNonce: 'any',
    }));
    assert.deepEqual([stolen.error, stolen.status], ['invalid_grant', 400]);
    await person.close();

    const second = await signIn(people.sam);
    const replayed = await oauthError(second.request.redeem(second.arrival));
    assert.deepEqual([replayed.error, replayed.status], ['invalid_grant', 400]);
    await second.person.close();
  });

  test('userinfo without a good token is unauthorized with a challenge', async () => {
    for (const headers of [{}, { Authorization: 'Bearer nonsense' }]) {
      const answer = await fetch(`${issuerOf(server)}/userinfo`, { headers });
      assert.equal(answer.status, 401);
      assert.match(answer.headers.get('www-authenticate'), /^Bearer/);
    }
  });
});

describe('Refreshing', () => {
  test('rotates the token and keeps person, session and organizations', async () => {
    const { person, tokens } = await signIn(people.mia);
    const first = await accessClaims(server, tokens.access_token, 'demo-web');
    const refreshed = await oidc.refreshTokenGrant(web, tokens.refresh_token);
    assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
    assert.equal(refreshed.expires_in, 1800);
    const second = await accessClaims(server, refreshed.access_token, 'demo-web');
    assert.deepEqual(second.organizations, first.organizations);
    assert.deepEqual([second.sub, second.sid, second.scope], [first.sub, first.sid, first.scope]);
    assert.notEqual(second.jti, first.jti);
    await person.close();
  });

  test('answers the same successor to a spent token within its grace', async () => {
    const { person, tokens } = await signIn(people.sam);
    const answers = await Promise.all(Array.from({ length: 5 }, () => oidc.refreshTokenGrant(web, tokens.refresh_token)));
    assert.equal(new Set(answers.map((answer) => answer.refresh_token)).size, 1);
    assert.ok((await oidc.refreshTokenGrant(web, answers[0].refresh_token)).access_token);
    await person.close();
  });

  test('may narrow the scope and never widens it', async () => {
    const { person, tokens } = await signIn(people.sam, { scope: 'openid email' });
    const narrow = await oidc.refreshTokenGrant(web, tokens.refresh_token, { scope: 'openid' });
    assert.equal((await accessClaims(server, narrow.access_token, 'demo-web')).scope, 'openid');
    const wide = await oauthError(oidc.refreshTokenGrant(web, narrow.refresh_token, { scope: 'openid email profile' }));
    assert.equal(wide.error, 'invalid_scope');
    await person.close();
  });

  test('is refused to a token that is made up, cut short, or another client\'s', async () => {
    const { person, tokens } = await signIn(people.sam);
    for (const token of ['made-up', tokens.refresh_token.slice(0, -4), tokens.access_token]) {
      assert.equal((await oauthError(oidc.refreshTokenGrant(web, token))).error, 'invalid_grant');
    }
    const other = await clientFor(server, 'demo-server', oidc.ClientSecretBasic('demo-server-secret'));
    assert.equal((await oauthError(oidc.refreshTokenGrant(other, tokens.refresh_token))).error, 'invalid_grant');
    assert.ok((await oidc.refreshTokenGrant(web, tokens.refresh_token)).access_token, 'nothing was spent');
    await person.close();
  });

  test('a refresh token is a signed token that names no organizations', async () => {
    const { person, tokens } = await signIn(people.mia);
    const { payload, protectedHeader } = await jwtVerify(
      tokens.refresh_token, createRemoteJWKSet(new URL(`${issuerOf(server)}/jwks.json`)), { issuer: issuerOf(server) });
    assert.ok(payload.jti);
    assert.ok(!('organizations' in payload) && !('org_id' in payload));
    assert.notEqual(protectedHeader.typ, 'at+jwt');
    assert.equal(decodeJwt(tokens.access_token).org_id, undefined);
    await person.close();
  });
});
