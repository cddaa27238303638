// OAuth/OIDC: the keys of realms and of clients, with openid-client 6, oauth4webapi 3 and jose 6.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, customFetch, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { startBrowser } from './browser.mjs';
import { apiKey, callback, people } from './demo.mjs';
import { authorization, clientFor, issuerOf, oauthError } from './oauth.mjs';
import { startServer } from './server.mjs';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'oauth.keys' });
  browser = await startBrowser(server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const pairs = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  Ed25519: { name: 'Ed25519' },
};

async function manage(path, body = {}) {
  const response = await fetch(`${server.url}/v1/realms/acme${path}`, {
    method: 'POST', headers: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });
  const answer = await response.json();
  assert.ok(response.ok, JSON.stringify(answer));
  return answer.data;
}

/** A client that knows only its own private key, and the server the public one. */
async function keyHolder(algorithm) {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(pairs[algorithm], true, ['sign', 'verify']);
  const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey('jwk', publicKey);
  const client = await manage('/clients', {
    name: algorithm, type: 'web', redirect_uris: [callback], grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    settings: { client_auth: 'private_key_jwt', jwks: { keys: [{ kty, crv, x, y, n, e, alg: algorithm, kid: 'mine' }] } },
  });
  return { clientId: client.client_id, key: { key: privateKey, kid: 'mine' } };
}

for (const algorithm of Object.keys(pairs)) {
  describe(`A client that proves itself by a key of ${algorithm}`, () => {
    test('is announced, and uses every grant and endpoint with openid-client', async () => {
      const { clientId, key } = await keyHolder(algorithm);
      const config = await clientFor(server, clientId, oidc.PrivateKeyJwt(key));
      const metadata = config.serverMetadata();
      for (const endpoint of ['token', 'introspection', 'revocation']) {
        assert.ok(metadata[`${endpoint}_endpoint_auth_methods_supported`].includes('private_key_jwt'), endpoint);
        assert.ok(metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`].includes(algorithm), endpoint);
      }

      const own = await oidc.clientCredentialsGrant(config);
      assert.equal((await oidc.tokenIntrospection(config, own.access_token)).active, true);
      const person = await browser.person();
      const request = await authorization(config);
      const tokens = await request.redeem(await person.signIn(request.url, people.sam));
      const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
      await oidc.tokenRevocation(config, refreshed.refresh_token);
      assert.equal((await oidc.tokenIntrospection(config, refreshed.access_token)).active, false);
      await person.close();
    });
  });
}

describe('With oauth4webapi', () => {
  test('a client proves itself by its key, and no other client by that', async () => {
    const insecure = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(issuerOf(server));
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
    const { clientId, key } = await keyHolder('PS256');
    const client = { client_id: clientId };
    const response = await oauth.clientCredentialsGrantRequest(as, client, oauth.PrivateKeyJwt(key), { scope: 'jobs:run' }, insecure);
    assert.equal((await oauth.processClientCredentialsResponse(as, client, response)).scope, 'jobs:run');
    const other = { client_id: 'demo-server' };
    const refused = await oauth.clientCredentialsGrantRequest(as, other, oauth.PrivateKeyJwt(key), {}, insecure);
    await assert.rejects(oauth.processClientCredentialsResponse(as, other, refused), { error: 'invalid_client' });
  });

  test('an assertion that is sent twice is refused', async () => {
    const { clientId, key } = await keyHolder('ES256');
    const config = await clientFor(server, clientId, oidc.PrivateKeyJwt(key, {
      [oidc.modifyAssertion]: (_, payload) => { payload.jti = 'always the same'; },
    }));
    await oidc.clientCredentialsGrant(config);
    const refused = await oauthError(oidc.clientCredentialsGrant(config));
    assert.equal(refused.error, 'invalid_client');
    assert.match(refused.description, /ATR1126/);
  });
});

for (const algorithm of ['ES256', 'RS256', 'EdDSA']) {
  test(`tokens signed with ${algorithm} are verified by jose over the published key set`, async () => {
    const client = await manage('/clients', { name: algorithm, type: 'spa', redirect_uris: [callback], response_signature_alg: algorithm });
    const config = await clientFor(server, client.client_id, oidc.None(), { id_token_signed_response_alg: algorithm });
    const person = await browser.person();
    const request = await authorization(config);
    const tokens = await request.redeem(await person.signIn(request.url, people.sam));
    const keys = createRemoteJWKSet(new URL(`${issuerOf(server)}/jwks.json`));
    const audience = client.client_id;
    const access = await jwtVerify(tokens.access_token, keys, { issuer: issuerOf(server), audience, typ: 'at+jwt', algorithms: [algorithm] });
    const id = await jwtVerify(tokens.id_token, keys, { issuer: issuerOf(server), audience, algorithms: [algorithm] });
    assert.equal(access.payload.sub, id.payload.sub);
    assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, id.payload.sub)).email, people.sam);
    await person.close();
  });
}

test('a verifier that fetched the keys before a rotation verifies what is signed before and after it, without asking again', async () => {
  let fetched = 0;
  const keys = createRemoteJWKSet(new URL(`${issuerOf(server)}/jwks.json`), {
    [customFetch]: (...request) => { fetched++; return fetch(...request); },
  });
  const config = await clientFor(server, 'demo-m2m', oidc.ClientSecretPost('demo-m2m-secret'));
  const checks = { issuer: issuerOf(server), audience: 'demo-m2m', typ: 'at+jwt' };
  const before = (await oidc.clientCredentialsGrant(config)).access_token;
  await jwtVerify(before, keys, checks);
  await manage('/signing-keys/rotate');
  const after = (await oidc.clientCredentialsGrant(config)).access_token;
  assert.notEqual(decodeProtectedHeader(after).kid, decodeProtectedHeader(before).kid);
  await jwtVerify(after, keys, checks);
  await jwtVerify(before, keys, checks);
  assert.equal(fetched, 1, 'the next key was there before it signed');
});
