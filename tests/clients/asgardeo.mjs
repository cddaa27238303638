// @asgardeo/javascript as an application would use it: the embedded sign-in calls, and its own client for the tokens.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  AsgardeoAPIError, AsgardeoAuthClient, executeEmbeddedSignInFlow, initializeEmbeddedSignInFlow,
} from '@asgardeo/javascript';
import { createRemoteJWKSet, importJWK, jwtVerify } from 'jose';
import { nativeCallback } from './demo.mjs';

export const authenticators = {
  basic: 'QmFzaWNBdXRoZW50aWNhdG9yOkxPQ0FM',
  totp: 'dG90cDpMT0NBTA',
  sso: 'T3JnYW5pemF0aW9uSWRlbnRpZmllckhhbmRsZXI6TE9DQUw',
};

export const rootOf = (server) => `${server.url}/t/acme`;
export const organizationBase = (server, organization) => `${rootOf(server)}/o/${organization}`;

/**
 * One application talking to one base address. Its tokens are issued by the realm also on an organization's path, which the
 * package must be told.
 */
export async function application(server, { base = rootOf(server), clientId = 'demo-native' } = {}) {
  const client = new AsgardeoAuthClient();
  await client.initialize({
    baseUrl: base, clientId, afterSignInUrl: nativeCallback, scopes: ['openid', 'profile', 'email'],
    endpoints: { issuer: `${rootOf(server)}/oauth2/token` },
  }, memoryStore(), nodeCrypto, 0);

  return {
    client,
    base,
    /** Starts a flow with the parameters that the package makes (PKCE and state among them) and these. */
    async start(parameters = {}) {
      const url = new URL(await client.getSignInUrl({ response_mode: 'direct', ...parameters }));
      return initializeEmbeddedSignInFlow({
        url: `${url.origin}${url.pathname}`, payload: Object.fromEntries(url.searchParams),
      });
    },
    /** Answers one prompt where the server said to answer it. */
    answer: (flow, authenticatorId, params) => executeEmbeddedSignInFlow({
      url: flow.links[0].href,
      payload: { flowId: flow.flowId, selectedAuthenticator: { authenticatorId, ...(params && { params }) } },
    }),
    /** Redeems the code of a completed flow at this base's token endpoint; the package checks the ID token. */
    async tokens(completed) {
      assert.equal(completed.flowStatus, 'SUCCESS_COMPLETED', JSON.stringify(completed));
      const { code, session_state, state } = completed.authData;
      return client.requestAccessToken(code, session_state, state);
    },
  };
}

/** The claims of an ID token of the realm, verified by jose. */
export async function identityClaims(server, idToken, audience) {
  const keys = createRemoteJWKSet(new URL(`${rootOf(server)}/oauth2/jwks`));
  const { payload } = await jwtVerify(idToken, keys, {
    issuer: `${rootOf(server)}/oauth2/token`, audience, algorithms: ['RS256'],
  });
  return payload;
}

/** Waits for a final refusal: its HTTP status and the four members of its body. */
export async function refusal(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    assert.ok(error instanceof AsgardeoAPIError && error.statusCode > 0, `not an answer of the server: ${error.stack}`);
    const text = error.message.slice(error.message.indexOf('{'));
    const body = JSON.parse(text);
    assert.deepEqual(Object.keys(body).sort(), ['code', 'description', 'message', 'traceId']);
    for (const member of Object.values(body)) assert.equal(typeof member, 'string');
    return { status: error.statusCode, ...body };
  }
  assert.fail(`expected a refusal, got ${JSON.stringify(value)}`);
}

function memoryStore() {
  const items = new Map();
  return {
    getData: async (key) => items.get(key) ?? '{}',
    setData: async (key, value) => { items.set(key, value); },
    removeData: async (key) => { items.delete(key); },
  };
}

const nodeCrypto = {
  base64URLEncode: (value) => Buffer.from(value).toString('base64url'),
  base64URLDecode: (value) => Buffer.from(value, 'base64url').toString('utf8'),
  generateRandomBytes: (length) => randomBytes(length),
  hashSha256: (data) => createHash('sha256').update(data).digest(),
  async verifyJwt(idToken, jwk, algorithms, audience, issuer, subject, clockTolerance) {
    await jwtVerify(idToken, await importJWK(jwk), { algorithms, audience, issuer, subject, clockTolerance });
    return true;
  },
};
