// App-native sign-in with the unmodified @asgardeo/javascript.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { AsgardeoJavaScriptClient } from '@asgardeo/javascript';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { application, authenticators, identityClaims, organizationBase, rootOf } from './asgardeo.mjs';
import { nativeCallback, newUser, organizationIds, password, people, tomsSecret, workosFor } from './demo.mjs';
import { startServer } from './server.mjs';
import { freshTotp, wrongTotp } from './totp.mjs';

let server;
let organizations;
before(async () => {
  server = await startServer({ name: 'app-native.signin' });
  organizations = await organizationIds(server);
});
after(() => server?.stop());

const credentials = (username) => ({ username, password });
const inOrganization = (organization, clientId) =>
  application(server, { base: organizationBase(server, organization), clientId });

describe('Method 1: the path of the organization', () => {
  test('asks for name and password only, at the organization\'s address', async () => {
    const app = await inOrganization(organizations.northwind);
    const flow = await app.start();
    assert.equal(flow.flowStatus, 'INCOMPLETE');
    assert.equal(flow.flowType, 'AUTHENTICATION');
    assert.deepEqual(flow.nextStep.authenticators.map((item) => item.authenticatorId), [authenticators.basic]);
    const [basic] = flow.nextStep.authenticators;
    assert.equal(basic.authenticator, 'Username & Password');
    assert.equal(basic.idp, 'LOCAL');
    assert.equal(basic.metadata.promptType, 'USER_PROMPT');
    assert.equal(basic.metadata.i18nKey, 'authenticator.basic');
    assert.deepEqual(basic.metadata.params, [
      { param: 'username', type: 'STRING', order: 0, i18nKey: 'username.param', displayName: 'Username', confidential: false },
      { param: 'password', type: 'STRING', order: 1, i18nKey: 'password.param', displayName: 'Password', confidential: true }]);
    assert.deepEqual(basic.requiredParams, ['username', 'password']);
    assert.deepEqual(flow.links, [{ name: 'authentication', href: `${app.base}/oauth2/authn`, method: 'POST' }]);
  });

  test('ends with tokens from the organization\'s token endpoint that speak of the organization', async () => {
    const app = await inOrganization(organizations.northwind);
    const completed = await app.answer(await app.start(), authenticators.basic, credentials(people.mia));
    assert.deepEqual(Object.keys(completed).sort(), ['authData', 'flowStatus']);
    for (const member of ['code', 'state', 'session_state']) assert.equal(typeof completed.authData[member], 'string', member);
    const tokens = await app.tokens(completed);
    assert.equal(tokens.tokenType, 'Bearer');
    assert.equal(Number(tokens.expiresIn), 1800);
    assert.ok(tokens.refreshToken && tokens.scope.includes('openid'));
    const identity = await identityClaims(server, tokens.idToken, 'demo-native');
    assert.match(identity.sub, /^usr_[0-9a-z]{25}$/);
    const { payload: access } = await jwtVerify(tokens.accessToken, createRemoteJWKSet(new URL(`${app.base}/oauth2/jwks`)), {
      issuer: `${rootOf(server)}/oauth2/token`, algorithms: ['RS256'],
    });
    assert.equal(access.exp - access.iat, 1800);
    assert.equal(access.sub, identity.sub);
    for (const claims of [identity, access]) {
      assert.equal(claims.org_id, organizations.northwind);
      assert.equal(claims.org_name, 'Northwind');
      assert.equal(claims.org_handle, 'northwind');
      assert.equal(claims.user_org, organizations.northwind);
    }
    assert.equal((await app.client.getDecodedIdToken()).sub, identity.sub);
  });

  test('keeps the organization through the package\'s refresh', async () => {
    const app = await inOrganization(organizations.contoso);
    const first = await app.tokens(await app.answer(await app.start(), authenticators.basic, credentials(people.mia)));
    const second = await app.client.refreshAccessToken();
    assert.notEqual(second.refreshToken, first.refreshToken);
    const claims = decodeJwt(second.accessToken);
    assert.deepEqual([claims.org_id, claims.org_name, claims.org_handle, claims.user_org],
      [organizations.contoso, 'Contoso', 'contoso', organizations.contoso]);
  });

  test('ends the grant when the membership ends', async () => {
    const user = await newUser(server, [{ organizationId: organizations.northwind }]);
    const app = await inOrganization(organizations.northwind);
    await app.tokens(await app.answer(await app.start(), authenticators.basic, credentials(user.email)));
    await workosFor(server).userManagement.deactivateOrganizationMembership(user.memberships[0].id);
    await assert.rejects(app.client.refreshAccessToken());
    const again = await app.answer(await app.start(), authenticators.basic, credentials(user.email));
    assert.equal(again.flowStatus, 'FAIL_INCOMPLETE');
  });

  test('works in one call of the package\'s own client', async () => {
    const client = new AsgardeoJavaScriptClient({
      baseUrl: organizationBase(server, organizations.northwind), clientId: 'demo-native', afterSignInUrl: nativeCallback,
      scopes: ['openid'], endpoints: { issuer: `${rootOf(server)}/oauth2/token` },
    });
    await setImmediate(); // its constructor does not wait for its own initialization
    const tokens = await client.getAgentToken({ agentID: people.mia, agentSecret: password });
    assert.equal(decodeJwt(tokens.accessToken).org_id, organizations.northwind);
  });

  test('works for a client that sends no PKCE, as Android does', async () => {
    const base = organizationBase(server, organizations.northwind);
    const form = (path, fields) => fetch(`${base}${path}`, { method: 'POST', body: new URLSearchParams(fields) });
    const started = await form('/oauth2/authorize', {
      client_id: 'demo-native', response_type: 'code', response_mode: 'direct', redirect_uri: nativeCallback, scope: 'openid',
    });
    assert.equal(started.headers.get('content-type'), 'application/json', 'clients compare for equality');
    const flow = await started.json();
    // Android always answers at the address it was configured with, here the root's.
    const answered = await fetch(`${rootOf(server)}/oauth2/authn/`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        flowId: flow.flowId,
        selectedAuthenticator: { authenticatorId: authenticators.basic, params: credentials(people.mia) },
      }),
    });
    assert.equal(answered.status, 200);
    assert.equal(answered.headers.get('content-type'), 'application/json');
    const { authData } = await answered.json();
    const redeemed = await form('/oauth2/token', {
      grant_type: 'authorization_code', client_id: 'demo-native', code: authData.code, redirect_uri: nativeCallback,
    });
    assert.equal(redeemed.status, 200);
    assert.equal(decodeJwt((await redeemed.json()).access_token).org_id, organizations.northwind);
  });
});

describe('Method 2: the root, and the organization chosen there', () => {
  test('offers the password and, beside it, the organization', async () => {
    const flow = await (await application(server)).start();
    assert.equal(flow.nextStep.stepType, 'MULTI_OPTIONS_PROMPT');
    assert.deepEqual(flow.nextStep.authenticators.map((item) => item.authenticatorId), [authenticators.basic, authenticators.sso]);
    const sso = flow.nextStep.authenticators[1];
    assert.equal(sso.authenticator, 'SSO');
    assert.equal(sso.idp, 'LOCAL');
    assert.deepEqual(sso.metadata, { i18nKey: 'authenticator.organization.identifier' });
    assert.equal(flow.links[0].href, `${rootOf(server)}/oauth2/authn`);
  });

  const ways = {
    'its id': () => ({ orgId: organizations.contoso }),
    'its handle': () => ({ orgHandle: 'contoso' }),
    'its name': () => ({ org: 'Contoso' }),
    'an address of its domain': () => ({ login_hint: 'anyone@contoso.test', orgDiscoveryType: 'emailDomain' }),
    'an address alone': () => ({ login_hint: 'anyone@contoso.test' }),
    'its handle among empty fields': () => ({ orgId: '', org: '', orgHandle: 'contoso', login_hint: '' }),
  };
  for (const [way, params] of Object.entries(ways)) {
    test(`finds the organization by ${way} and goes on there`, async () => {
      const app = await application(server);
      const start = await app.start();
      const flow = await app.answer(start, authenticators.sso, params());
      assert.equal(flow.flowId, start.flowId);
      assert.equal(flow.flowStatus, 'INCOMPLETE');
      assert.equal(flow.links[0].href, `${organizationBase(server, organizations.contoso)}/oauth2/authn`);
      assert.deepEqual(flow.nextStep.authenticators.map((item) => item.authenticatorId), [authenticators.basic]);
      const tokens = await app.tokens(await app.answer(flow, authenticators.basic, credentials(people.mia)));
      const identity = await identityClaims(server, tokens.idToken, 'demo-native');
      // It began at the root: the realm speaks, and names the organization entered.
      assert.match(identity.org_id, /^realm_/);
      assert.deepEqual([identity.org_name, identity.org_handle, identity.user_org], ['Acme', 'acme', organizations.contoso]);
    });
  }

  test('the organization can be named at the start, which skips the choice', async () => {
    const app = await application(server);
    const flow = await app.start({ orgHandle: 'northwind' });
    assert.deepEqual(flow.nextStep.authenticators.map((item) => item.authenticatorId), [authenticators.basic]);
    const tokens = await app.tokens(await app.answer(flow, authenticators.basic, credentials(people.sam)));
    assert.equal(decodeJwt(tokens.accessToken).user_org, organizations.northwind);
  });

  test('selecting the option without a value asks for the organization', async () => {
    const app = await application(server);
    const flow = await app.answer(await app.start(), authenticators.sso);
    assert.equal(flow.flowStatus, 'INCOMPLETE');
    assert.deepEqual(flow.nextStep.authenticators.map((item) => item.authenticatorId), [authenticators.sso]);
    const [sso] = flow.nextStep.authenticators;
    assert.equal(sso.metadata.promptType, 'USER_PROMPT');
    assert.deepEqual(sso.requiredParams, ['orgHandle'], 'one is enough, so one is required');
    const next = await app.answer(flow, authenticators.sso, { orgHandle: 'contoso' });
    assert.equal(next.nextStep.authenticators[0].authenticatorId, authenticators.basic);
  });

  const failures = {
    'an unknown handle': [{ orgHandle: 'nobody' }, 'invalid.organization.handle'],
    'an unknown name': [{ org: 'Nobody' }, 'invalid.organization.name'],
    'an unknown id': [{ orgId: 'org_0000000000000000000000001' }, 'invalid.organization'],
    'a domain that nobody claimed': [{ login_hint: 'a@nobody.test' }, 'invalid.organization'],
    'an organization the application is not shared with': [{ orgHandle: 'fabrikam' }, 'organization.not.associated.with.application'],
    'a suspended organization': [{ orgHandle: 'tailspin' }, 'invalid.organization'],
    'an organization of another realm': [{ orgHandle: 'initech' }, 'invalid.organization.handle'],
    'nothing but blanks': [{ orgHandle: ' ', org: '' }, 'organization.discovery.failure'],
    'a way that the realm does not know': [
      { login_hint: 'a@contoso.test', orgDiscoveryType: 'magic' }, 'invalid.organization.discovery.type'],
  };
  for (const [what, [params, key]] of Object.entries(failures)) {
    test(`${what} is said to be so, and another try is free`, async () => {
      const app = await application(server);
      const start = await app.start();
      const flow = await app.answer(start, authenticators.sso, params);
      assert.equal(flow.flowStatus, 'FAIL_INCOMPLETE');
      assert.equal(flow.flowId, start.flowId);
      assert.deepEqual(flow.nextStep.messages.map(({ type, message, messageId, i18nKey }) => ({ type, message, messageId, i18nKey })),
        [{ type: 'ERROR', message: key, messageId: key, i18nKey: `message.${key}` }]);
      const next = await app.answer(flow, authenticators.sso, { orgHandle: 'northwind' });
      assert.equal(next.links[0].href, `${organizationBase(server, organizations.northwind)}/oauth2/authn`);
    });
  }

  test('a password at the root signs in to the realm itself', async () => {
    const app = await application(server);
    const tokens = await app.tokens(await app.answer(await app.start(), authenticators.basic, credentials(people.zoe)));
    const identity = await identityClaims(server, tokens.idToken, 'demo-native');
    assert.equal(identity.org_handle, 'acme');
    assert.equal(identity.user_org, undefined);
  });
});

describe('A second factor', () => {
  test('is asked for after the password, and a wrong code can be corrected', async () => {
    const app = await inOrganization(organizations.contoso, 'demo-native-mfa');
    const start = await app.start();
    const second = await app.answer(start, authenticators.basic, credentials(people.tom));
    assert.equal(second.flowStatus, 'INCOMPLETE');
    assert.equal(second.flowId, start.flowId);
    assert.equal(second.nextStep.stepType, 'AUTHENTICATOR_PROMPT');
    const [totp] = second.nextStep.authenticators;
    assert.equal(totp.authenticatorId, authenticators.totp);
    assert.equal(totp.authenticator, 'TOTP');
    assert.deepEqual(totp.requiredParams, ['token']);
    assert.deepEqual(totp.metadata.params, [
      { param: 'token', type: 'STRING', order: 0, i18nKey: 'totp.authenticator', displayName: 'Token', confidential: false }]);
    const failed = await app.answer(second, authenticators.totp, { token: wrongTotp(tomsSecret) });
    assert.equal(failed.flowStatus, 'FAIL_INCOMPLETE');
    assert.equal(failed.flowId, start.flowId);
    assert.equal(failed.nextStep.authenticators[0].authenticatorId, authenticators.totp);
    assert.equal(failed.nextStep.messages[0].type, 'ERROR');
    const completed = await app.answer(failed, authenticators.totp, { token: await freshTotp(tomsSecret) });
    const identity = await identityClaims(server, (await app.tokens(completed)).idToken, 'demo-native-mfa');
    assert.equal(identity.org_id, organizations.contoso);
  });

  test('that a person has is asked for also where the application does not ask', async () => {
    const app = await inOrganization(organizations.contoso);
    const second = await app.answer(await app.start(), authenticators.basic, credentials(people.tom));
    assert.equal(second.flowStatus, 'INCOMPLETE');
    assert.equal(second.nextStep.authenticators[0].authenticatorId, authenticators.totp);
  });
});
