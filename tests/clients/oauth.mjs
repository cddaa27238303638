// openid-client 6, configured for one client of the demo realm.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { callback } from './demo.mjs';

export const issuerOf = (server) => `${server.url}/t/acme`;

/** Discovers the server for a client; ID tokens are then verified over the JWKS by openid-client itself. */
export const clientFor = (server, clientId, authentication = oidc.None(), metadata = undefined) =>
  oidc.discovery(new URL(issuerOf(server)), clientId, metadata, authentication, {
    execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
  });

/** An authorization request with PKCE, and what is needed to redeem its answer. */
export async function authorization(config, parameters = {}) {
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(),
  };
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: callback, scope: 'openid profile email', state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: 'S256',
    ...parameters,
  });
  return {
    url,
    redeem: (arrival, more, options) =>
      oidc.authorizationCodeGrant(config, arrival, { ...checks, idTokenExpected: true }, more, options),
  };
}

/** The claims of an access token, after everything that a resource server checks. */
export async function accessClaims(server, token, audience) {
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(`${issuerOf(server)}/jwks.json`)), {
    issuer: issuerOf(server), audience, typ: 'at+jwt', algorithms: ['ES256'],
  });
  return payload;
}

/** Waits for a refusal by the server; its OAuth error code and status. */
export async function oauthError(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    assert.ok(error instanceof oidc.ResponseBodyError || error instanceof oidc.AuthorizationResponseError
      || error instanceof oidc.WWWAuthenticateChallengeError, `not an OAuth error of the server: ${error.stack} ${error.cause ?? ''}`);
    // Before a 401 with a challenge the library does not look at the body.
    const body = error instanceof oidc.WWWAuthenticateChallengeError ? await error.response.json() : error;
    return { error: body.error, description: body.error_description, status: error.status };
  }
  assert.fail(`expected a refusal, got ${JSON.stringify(value)}`);
}
