// OAuth/OIDC: clients with a secret, with openid-client 6, oauth4webapi 3 and jose 6.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { startBrowser } from './browser.mjs';
import { callback, people } from './demo.mjs';
import { accessClaims, authorization, clientFor, issuerOf, oauthError } from './oauth.mjs';
import { startServer } from './server.mjs';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'oauth.clients' });
  browser = await startBrowser(server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const methods = { client_secret_basic: oidc.ClientSecretBasic, client_secret_post: oidc.ClientSecretPost };

for (const [method, authentication] of Object.entries(methods)) {
  describe(`A client that authenticates with ${method}`, () => {
    test('is announced', async () => {
      const config = await clientFor(server, 'demo-m2m', authentication('demo-m2m-secret'));
      assert.ok(config.serverMetadata().token_endpoint_auth_methods_supported.includes(method));
    });

    test('gets a token of its own, without a person and without organizations', async () => {
      const config = await clientFor(server, 'demo-m2m', authentication('demo-m2m-secret'));
      const tokens = await oidc.clientCredentialsGrant(config);
      assert.equal(tokens.expires_in, 1800);
      assert.equal(tokens.refresh_token, undefined);
      assert.equal(tokens.id_token, undefined);
      const access = await accessClaims(server, tokens.access_token, 'demo-m2m');
      assert.deepEqual([access.sub, access.client_id], ['demo-m2m', 'demo-m2m']);
      for (const claim of ['organizations', 'org_id', 'sid']) assert.ok(!(claim in access), claim);
    });

    test('signs a person in by the code flow', async () => {
      const config = await clientFor(server, 'demo-server', authentication('demo-server-secret'));
      const person = await browser.person();
      const request = await authorization(config);
      const tokens = await request.redeem(await person.signIn(request.url, people.sam));
      const access = await accessClaims(server, tokens.access_token, 'demo-server');
      assert.equal(access.organizations.length, 1);
      assert.equal(tokens.claims().aud, 'demo-server');
      assert.ok((await oidc.refreshTokenGrant(config, tokens.refresh_token)).access_token);
      await person.close();
    });

    test('is refused with a wrong secret', async () => {
      for (const client of ['demo-m2m', 'demo-server']) {
        const config = await clientFor(server, client, authentication('wrong'));
        const refused = await oauthError(oidc.clientCredentialsGrant(config));
        assert.equal(refused.error, 'invalid_client');
        assert.equal(refused.status, 401);
      }
    });
  });
}

describe('What a client may not do', () => {
  test('a code cannot be redeemed without the secret of its client', async () => {
    const config = await clientFor(server, 'demo-server', oidc.ClientSecretBasic('demo-server-secret'));
    const nobody = await clientFor(server, 'demo-server', oidc.None());
    const person = await browser.person();
    const request = await authorization(config);
    const arrival = await person.signIn(request.url, people.sam);
    const refused = await oauthError(oidc.authorizationCodeGrant(nobody, arrival, {
      pkceCodeVerifier: 'x'.repeat(43), expectedState: arrival.searchParams.get('state'), expectedNonce: 'any',
    }));
    assert.deepEqual([refused.error, refused.status], ['invalid_client', 401]);
    await person.close();
  });

  test('a code of one client is worth nothing to another', async () => {
    const person = await browser.person();
    const web = await clientFor(server, 'demo-web');
    const other = await clientFor(server, 'demo-server', oidc.ClientSecretBasic('demo-server-secret'));
    const request = await authorization(web);
    const arrival = await person.signIn(request.url, people.sam);
    const refused = await oauthError(oidc.authorizationCodeGrant(other, arrival, {
      pkceCodeVerifier: 'x'.repeat(43), expectedState: arrival.searchParams.get('state'), expectedNonce: 'any',
    }));
    assert.equal(refused.error, 'invalid_grant');
    await person.close();
  });

  test('a public client gets no token of its own', async () => {
    const web = await clientFor(server, 'demo-web');
    assert.equal((await oauthError(oidc.clientCredentialsGrant(web))).error, 'unauthorized_client');
  });

  test('a client of another realm is unknown here', async () => {
    const config = await clientFor(server, 'globex-authkit', oidc.ClientSecretBasic('sk_demo_globex'));
    assert.equal((await oauthError(oidc.clientCredentialsGrant(config))).error, 'invalid_client');
  });

  test('grants that the server does not have are refused by name', async () => {
    const config = await clientFor(server, 'demo-m2m', oidc.ClientSecretBasic('demo-m2m-secret'));
    for (const [grant, parameters] of Object.entries({
      'urn:ietf:params:oauth:grant-type:token-exchange': {
        subject_token: 'x', subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
      password: { username: people.sam, password: 'any' },
    })) {
      const refused = await oauthError(oidc.genericGrantRequest(config, grant, parameters));
      assert.equal(refused.error, 'unsupported_grant_type', grant);
    }
  });
});

describe('With oauth4webapi', () => {
  test('the whole code flow passes its strict checks', async () => {
    const insecure = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(issuerOf(server));
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
    const client = { client_id: 'demo-web' };
    const verifier = oauth.generateRandomCodeVerifier();
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
    const url = new URL(as.authorization_endpoint);
    url.search = new URLSearchParams({
      client_id: client.client_id, redirect_uri: callback, response_type: 'code', scope: 'openid email', state, nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    const person = await browser.person();
    const parameters = oauth.validateAuthResponse(as, client, await person.signIn(url, people.sam), state);
    const answer = await oauth.authorizationCodeGrantRequest(
      as, client, oauth.None(), parameters, callback, verifier, insecure);
    assert.match(answer.headers.get('cache-control'), /no-store/);
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: nonce, requireIdToken: true });
    await oauth.validateApplicationLevelSignature(as, answer, insecure);
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    const request = new Request('https://api.example.test/', { headers: { Authorization: `Bearer ${tokens.access_token}` } });
    const access = await oauth.validateJwtAccessToken(as, request, 'demo-web', insecure);
    assert.equal(access.sub, claims.sub);
    const userinfo = await oauth.processUserInfoResponse(
      as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, insecure));
    assert.equal(userinfo.email, people.sam);
    await person.close();
  });
});
