// The unmodified WorkOS SDK in two majors, and what differs between them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as current from '@workos-inc/node';
import * as older from 'workos-node-8';

const versionOf = (folder) =>
  JSON.parse(readFileSync(new URL(`node_modules/${folder}/package.json`, import.meta.url), 'utf8')).version;

export const sdks = [
  { name: `@workos-inc/node ${versionOf('@workos-inc/node')}`, WorkOS: current.WorkOS, module: current },
  { name: `@workos-inc/node ${versionOf('workos-node-8')}`, WorkOS: older.WorkOS, module: older },
];

/** The SDK's module for factors: `mfa` until 8, `multiFactorAuth` later. */
export const factorsOf = (workos) => workos.multiFactorAuth ?? workos.mfa;

/** Waits for a refusal; its status and code, wherever this version of the SDK keeps them. */
export async function refusal(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    assert.equal(typeof error.status, 'number', `not an answer of the server: ${error.stack}`);
    const body = error.rawData ?? {};
    return {
      name: error.name,
      status: error.status,
      code: body.code ?? body.error ?? error.code ?? error.error,
      errors: error.errors,
      requestId: error.requestID,
      pendingAuthenticationToken: body.pending_authentication_token,
      body,
      error,
    };
  }
  assert.fail(`expected a refusal, got ${JSON.stringify(value)}`);
}

/** Signs mia in as far as the choice of an organization; the token that goes with the choice. */
export async function untilSelection(workos, email, password) {
  const refused = await refusal(workos.userManagement.authenticateWithPassword({ email, password }));
  assert.equal(refused.code, 'organization_selection_required');
  assert.equal(typeof refused.pendingAuthenticationToken, 'string');
  return refused.pendingAuthenticationToken;
}
