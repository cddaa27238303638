// AuthKit: password sign-in and the choice of an organization, with two majors of the unmodified WorkOS SDK.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { newUser, organizationIds, password, people, uniqueEmail, unknownOrganization, workosFor } from './demo.mjs';
import { startServer } from './server.mjs';
import { refusal, sdks, untilSelection } from './workos.mjs';

let server;
let organizations;
before(async () => {
  server = await startServer({ name: 'authkit.signin' });
  organizations = await organizationIds(server);
});
after(() => server?.stop());

for (const sdk of sdks) {
  describe(`Signing in with ${sdk.name}`, () => {
    let workos;
    let users;
    before(() => {
      workos = workosFor(server, sdk.WorkOS);
      users = workos.userManagement;
    });

    test('a person of one organization is signed in to it without being asked', async () => {
      const answer = await users.authenticateWithPassword({ email: people.sam, password });
      assert.equal(answer.user.email, people.sam);
      assert.equal(answer.user.emailVerified, true);
      assert.equal(answer.organizationId, organizations.northwind);
      assert.equal(answer.authenticationMethod, 'Password');
      const claims = decodeJwt(answer.accessToken);
      assert.equal(claims.org_id, organizations.northwind);
      assert.equal(claims.role, 'member');
    });

    test('the address is compared without regard to case', async () => {
      const answer = await users.authenticateWithPassword({ email: 'Sam@Example.TEST', password });
      assert.equal(answer.user.email, people.sam);
    });

    test('a person of no organization gets a session without one', async () => {
      const answer = await users.authenticateWithPassword({ email: people.zoe, password });
      assert.equal(answer.organizationId, undefined);
      const claims = decodeJwt(answer.accessToken);
      for (const claim of ['org_id', 'role', 'roles', 'permissions']) assert.ok(!(claim in claims), `${claim} is there`);
    });

    test('a person of several organizations is asked, and sees exactly those that can be chosen', async () => {
      const refused = await refusal(users.authenticateWithPassword({ email: people.mia, password }));
      assert.equal(refused.status, 403);
      assert.equal(refused.code, 'organization_selection_required');
      if (sdk.module.AuthenticationException) {
        assert.ok(refused.error instanceof sdk.module.AuthenticationException);
        assert.equal(refused.error.code, 'organization_selection_required');
        assert.equal(refused.error.pendingAuthenticationToken, refused.body.pending_authentication_token);
      }
      assert.ok(refused.body.pending_authentication_token.length >= 20);
      assert.equal(refused.body.user.email, people.mia);
      assert.equal(refused.body.user.object, 'user');
      // Neither Fabrikam (her membership is suspended) nor Tailspin (the organization is).
      assert.deepEqual(
        refused.body.organizations.toSorted((a, b) => a.name.localeCompare(b.name)),
        [{ id: organizations.contoso, name: 'Contoso' }, { id: organizations.northwind, name: 'Northwind' }]);
    });

    test('the chosen organization is in the answer and in the token', async () => {
      const pendingAuthenticationToken = await untilSelection(workos, people.mia, password);
      const answer = await users.authenticateWithOrganizationSelection({
        pendingAuthenticationToken, organizationId: organizations.contoso, ipAddress: '192.0.2.1', userAgent: 'test',
      });
      assert.equal(answer.user.email, people.mia);
      assert.equal(answer.organizationId, organizations.contoso);
      assert.equal(answer.authenticationMethod, 'Password');
      assert.ok(answer.refreshToken.length >= 20);
      const claims = decodeJwt(answer.accessToken);
      assert.equal(claims.org_id, organizations.contoso);
      assert.equal(claims.role, 'member');
      assert.ok(claims.permissions.includes('projects:read'));
    });

    test('an organization that is not theirs, or cannot be chosen, is refused and the token stays good', async () => {
      const stranger = await workos.organizations.createOrganization({ name: 'Not Mias' });
      const pendingAuthenticationToken = await untilSelection(workos, people.mia, password);
      const foreign = {
        'of somebody else': stranger.id,
        'where she is suspended': organizations.fabrikam,
        'that is suspended': organizations.tailspin,
        'that does not exist': unknownOrganization,
        'that is no id': 'nonsense',
      };
      const answers = [];
      for (const [which, organizationId] of Object.entries(foreign)) {
        assert.ok(organizationId, `the id of the organization ${which}`);
        const refused = await refusal(
          users.authenticateWithOrganizationSelection({ pendingAuthenticationToken, organizationId }));
        assert.equal(refused.status, 400, `an organization ${which}`);
        answers.push(refused.code);
      }
      assert.deepEqual([...new Set(answers)], ['organization_membership_not_found'], 'one answer, so that nothing can be learnt');
      const answer = await users.authenticateWithOrganizationSelection({
        pendingAuthenticationToken, organizationId: organizations.northwind,
      });
      assert.equal(answer.organizationId, organizations.northwind);
    });

    test('a pending token is spent by the choice', async () => {
      const pendingAuthenticationToken = await untilSelection(workos, people.mia, password);
      const choose = (organizationId) =>
        users.authenticateWithOrganizationSelection({ pendingAuthenticationToken, organizationId });
      await choose(organizations.contoso);
      for (const organizationId of [organizations.contoso, organizations.northwind]) {
        const refused = await refusal(choose(organizationId));
        assert.equal(refused.status, 400);
        assert.equal(refused.code, 'invalid_pending_authentication_token');
      }
    });

    test('of ten choices at once with one pending token exactly one succeeds', async () => {
      const pendingAuthenticationToken = await untilSelection(workos, people.mia, password);
      const results = await Promise.allSettled(Array.from({ length: 10 }, () =>
        users.authenticateWithOrganizationSelection({ pendingAuthenticationToken, organizationId: organizations.contoso })));
      assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
      for (const { reason } of results.filter((result) => result.status === 'rejected')) assert.equal(reason.status, 400);
    });

    test('a pending token that the server never made is refused', async () => {
      const refused = await refusal(users.authenticateWithOrganizationSelection({
        pendingAuthenticationToken: 'never-made-by-this-server', organizationId: organizations.contoso,
      }));
      assert.equal(refused.status, 400);
      assert.equal(refused.code, 'invalid_pending_authentication_token');
    });

    test('membership is checked when the choice is made, not only when it was offered', async () => {
      const person = await newUser(server, [
        { organizationId: organizations.northwind }, { organizationId: organizations.contoso }]);
      const pendingAuthenticationToken = await untilSelection(workos, person.email, password);
      await users.deactivateOrganizationMembership(person.memberships[1].id);
      const refused = await refusal(users.authenticateWithOrganizationSelection({
        pendingAuthenticationToken, organizationId: organizations.contoso,
      }));
      assert.equal(refused.code, 'organization_membership_not_found');
    });

    test('a wrong password and an unknown address get the same answer', async () => {
      const wrong = await refusal(users.authenticateWithPassword({ email: people.sam, password: 'Wrong-Passw0rd!' }));
      const unknown = await refusal(users.authenticateWithPassword({ email: uniqueEmail(), password }));
      for (const refused of [wrong, unknown]) {
        assert.equal(refused.status, 400);
        assert.equal(refused.code, 'invalid_credentials');
        assert.deepEqual(Object.keys(refused.body).sort(), Object.keys(wrong.body).sort());
      }
    });

    test('a person of another realm is unknown here', async () => {
      const refused = await refusal(users.authenticateWithPassword({ email: 'kim@example.test', password }));
      assert.equal(refused.code, 'invalid_credentials');
    });

    test('a client of another realm cannot be used with this key', async () => {
      const crossed = workosFor(server, sdk.WorkOS, 'globex-authkit');
      const refused = await refusal(crossed.userManagement.authenticateWithPassword({ email: 'kim@example.test', password }));
      assert.equal(refused.status, 400);
      assert.equal(refused.code, 'invalid_client');
    });

    test('the access token verifies over the JWKS and says who, where and for how long', async () => {
      const pendingAuthenticationToken = await untilSelection(workos, people.mia, password);
      const answer = await users.authenticateWithOrganizationSelection({
        pendingAuthenticationToken, organizationId: organizations.northwind,
      });
      const keys = createRemoteJWKSet(new URL(users.getJwksUrl('demo-authkit')));
      const { payload, protectedHeader } = await jwtVerify(answer.accessToken, keys, {
        issuer: `${server.url}/user_management/demo-authkit`, algorithms: ['RS256'],
      });
      assert.ok(protectedHeader.kid);
      assert.equal(payload.sub, answer.user.id);
      assert.match(payload.sid, /^s_[0-9a-z]{25}$/);
      assert.equal(typeof payload.jti, 'string');
      assert.equal(payload.org_id, organizations.northwind);
      assert.equal(payload.role, 'owner');
      assert.deepEqual(payload.roles, ['owner']);
      assert.ok(payload.permissions.includes('billing:write'));
      assert.equal(payload.exp - payload.iat, 300);
    });

    test('every published key has what the SDKs of other languages ask for', async () => {
      const answer = await fetch(users.getJwksUrl('demo-authkit'));
      assert.equal(answer.status, 200);
      const { keys } = await answer.json();
      assert.ok(keys.length >= 1);
      for (const key of keys) {
        assert.deepEqual([key.kty, key.alg, key.use], ['RSA', 'RS256', 'sig']);
        assert.equal(key.x5c.length, 1);
        assert.ok(key['x5t#S256'] && key.kid && key.n && key.e);
        assert.ok(!('d' in key), 'a private member is published');
      }
    });
  });
}
