// DPoP (RFC 9449): tokens bound to a key, with openid-client 6, oauth4webapi 3 and jose 6.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SignJWT, calculateJwkThumbprint, decodeJwt, exportJWK } from 'jose';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { startBrowser } from './browser.mjs';
import { callback, people } from './demo.mjs';
import { accessClaims, authorization, clientFor, issuerOf, oauthError } from './oauth.mjs';
import { startServer } from './server.mjs';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'oauth.dpop' });
  browser = await startBrowser(server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A client like demo-web, with these settings beside; its client_id. */
async function clientWith(openid) {
  const response = await fetch(`${server.url}/v1/realms/acme/clients`, {
    method: 'POST',
    headers: { Authorization: 'Bearer sk_demo_atrium', 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'DPoP', type: 'spa', redirect_uris: [callback], settings: { openid } }),
  });
  assert.equal(response.status, 201, await response.clone().text());
  return (await response.json()).data.client_id;
}

/** A key pair, the handle that makes proofs with it, and its thumbprint. */
async function holder(config, algorithm = 'ES256') {
  const keys = await oidc.randomDPoPKeyPair(algorithm, { extractable: true });
  const DPoP = oidc.getDPoPHandle(config, keys);
  return { keys, DPoP, thumbprint: await calculateJwkThumbprint(await exportJWK(keys.publicKey)) };
}

async function signIn(config, key, parameters = {}) {
  const person = await browser.person();
  const request = await authorization(config, parameters);
  const tokens = await request.redeem(await person.signIn(request.url, people.sam), undefined, { DPoP: key.DPoP });
  await person.close();
  return tokens;
}

describe('With openid-client', () => {
  test('the metadata names the algorithms', async () => {
    const algorithms = (await clientFor(server, 'demo-web')).serverMetadata().dpop_signing_alg_values_supported;
    for (const algorithm of ['ES256', 'RS256', 'PS256']) assert.ok(algorithms.includes(algorithm), algorithm);
  });

  const clients = {
    'a client as it comes': {},
    'a client whose proofs need a nonce': { dpop_nonce_required: true },
    'a client that gets bound tokens only': { dpop_bound_access_tokens: true },
    'a client that has both': { dpop_bound_access_tokens: true, dpop_nonce_required: true },
  };
  for (const [what, openid] of Object.entries(clients)) {
    test(`${what} signs in, refreshes and asks who it is`, async () => {
      const clientId = await clientWith(openid);
      const config = await clientFor(server, clientId);
      const key = await holder(config);
      let tokens = await signIn(config, key);
      for (let i = 0; i < 3; i++) {
        assert.equal(tokens.token_type, 'dpop');
        const access = await accessClaims(server, tokens.access_token, clientId);
        assert.deepEqual(access.cnf, { jkt: key.thumbprint });
        assert.equal(access.organizations.length, 1);
        const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, access.sub, { DPoP: key.DPoP });
        assert.equal(userinfo.email, people.sam);
        tokens = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: key.DPoP });
      }
    });
  }

  for (const algorithm of ['ES256', 'RS256', 'PS256', 'Ed25519']) {
    test(`a machine is given a token for its ${algorithm} key`, async () => {
      const config = await clientFor(server, 'demo-m2m', oidc.ClientSecretBasic('demo-m2m-secret'));
      const key = await holder(config, algorithm);
      const tokens = await oidc.clientCredentialsGrant(config, {}, { DPoP: key.DPoP });
      assert.deepEqual(decodeJwt(tokens.access_token).cnf, { jkt: key.thumbprint });
      const about = await oidc.tokenIntrospection(config, tokens.access_token);
      assert.deepEqual([about.active, about.token_type, about.cnf], [true, 'DPoP', { jkt: key.thumbprint }]);
    });
  }

  test('a code that names a key is redeemed with that key alone', async () => {
    const config = await clientFor(server, 'demo-web');
    const [mine, others] = [await holder(config), await holder(config)];
    const person = await browser.person();
    const request = await authorization(config, { dpop_jkt: await mine.DPoP.calculateThumbprint() });
    const arrival = await person.signIn(request.url, people.sam);
    for (const wrong of [{ DPoP: others.DPoP }, undefined])
      assert.equal((await oauthError(request.redeem(arrival, undefined, wrong))).error, 'invalid_grant');
    const tokens = await request.redeem(arrival, undefined, { DPoP: mine.DPoP });
    assert.deepEqual(decodeJwt(tokens.access_token).cnf, { jkt: mine.thumbprint });
    await person.close();
  });

  test('a request that is pushed with a proof gives a code for its key', async () => {
    const config = await clientFor(server, await clientWith({ require_pushed_authorization_requests: true, dpop_nonce_required: true }));
    const [mine, others] = [await holder(config), await holder(config)];
    const person = await browser.person();
    const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
    const url = await oidc.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: callback, scope: 'openid email', state: checks.expectedState, nonce: checks.expectedNonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: 'S256',
    }, { DPoP: mine.DPoP });
    assert.ok(!url.searchParams.has('dpop_jkt'));
    const arrival = await person.signIn(url, people.sam);
    for (const wrong of [{ DPoP: others.DPoP }, undefined])
      assert.equal((await oauthError(oidc.authorizationCodeGrant(config, arrival, checks, undefined, wrong))).error, 'invalid_grant');
    const tokens = await oidc.authorizationCodeGrant(config, arrival, checks, undefined, { DPoP: mine.DPoP });
    assert.deepEqual(decodeJwt(tokens.access_token).cnf, { jkt: mine.thumbprint });
    await person.close();
  });

  test('who has the tokens and not the key can do nothing with them', async () => {
    const config = await clientFor(server, 'demo-web');
    const [mine, others] = [await holder(config), await holder(config)];
    const tokens = await signIn(config, mine);
    const { sub } = decodeJwt(tokens.access_token);
    for (const wrong of [{ DPoP: others.DPoP }, undefined]) {
      assert.equal((await oauthError(oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, wrong))).error, 'invalid_grant');
      assert.equal((await oauthError(oidc.fetchUserInfo(config, tokens.access_token, sub, wrong))).status, 401);
    }
    assert.ok(await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: mine.DPoP }));
  });
});

describe('With oauth4webapi', () => {
  test('the whole code flow passes its strict checks, and a nonce is taken up where it is needed', async () => {
    const insecure = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(issuerOf(server));
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
    const client = { client_id: await clientWith({ dpop_nonce_required: true }) };
    const keys = await oauth.generateKeyPair('ES256', { extractable: true });
    const DPoP = oauth.DPoP(client, keys);
    const jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey));
    const verifier = oauth.generateRandomCodeVerifier();
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
    const url = new URL(as.authorization_endpoint);
    url.search = new URLSearchParams({
      client_id: client.client_id, redirect_uri: callback, response_type: 'code', scope: 'openid email', state, nonce, dpop_jkt: jkt,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    const person = await browser.person();
    const parameters = oauth.validateAuthResponse(as, client, await person.signIn(url, people.sam), state);
    await person.close();

    const redeem = async () => {
      const answer = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), parameters, callback, verifier, { ...insecure, DPoP });
      assert.match(answer.headers.get('dpop-nonce'), /^[\w-]{22}$/);
      return oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: nonce, requireIdToken: true });
    };
    // The library keeps the nonce of the refusal; asking once more is the caller's.
    await assert.rejects(redeem, (error) => oauth.isDPoPNonceError(error));
    const tokens = await redeem();
    assert.equal(tokens.token_type, 'dpop');

    const request = new Request('https://api.example.test/', {
      headers: { Authorization: `DPoP ${tokens.access_token}`, DPoP: await proofFor('https://api.example.test/', tokens.access_token, keys) },
    });
    const access = await oauth.validateJwtAccessToken(as, request, client.client_id, { ...insecure, requireDPoP: true });
    assert.deepEqual(access.cnf, { jkt });
    const { sub } = oauth.getValidatedIdTokenClaims(tokens);
    const userinfo = await oauth.processUserInfoResponse(
      as, client, sub, await oauth.userInfoRequest(as, client, tokens.access_token, { ...insecure, DPoP }));
    assert.equal(userinfo.email, people.sam);
    const refreshed = await oauth.processRefreshTokenResponse(
      as, client, await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token, { ...insecure, DPoP }));
    assert.deepEqual(decodeJwt(refreshed.access_token).cnf, { jkt });
  });

  /** A proof for a request to somebody else's API, as the library's resource server checks it. */
  async function proofFor(htu, token, keys) {
    const { kty, crv, x, y } = await exportJWK(keys.publicKey);
    const ath = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(token))).toString('base64url');
    return new SignJWT({ htm: 'GET', htu, jti: crypto.randomUUID(), ath })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: { kty, crv, x, y } }).setIssuedAt().sign(keys.privateKey);
  }
});
