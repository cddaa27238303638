// AuthKit: refresh, switching organizations, sealed sessions, sign-out, with two majors of the unmodified WorkOS SDK.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { newUser, organizationIds, password, people, unknownOrganization, workosFor } from './demo.mjs';
import { startServer } from './server.mjs';
import { refusal, sdks, untilSelection } from './workos.mjs';

const cookiePassword = 'a cookie password of at least 32 characters';
const session = { sealSession: true, cookiePassword };

let server;
let organizations;
before(async () => {
  server = await startServer({ name: 'authkit.session' });
  organizations = await organizationIds(server);
});
after(() => server?.stop());

for (const sdk of sdks) {
  describe(`A session with ${sdk.name}`, () => {
    let workos;
    let users;
    before(() => {
      workos = workosFor(server, sdk.WorkOS);
      users = workos.userManagement;
    });

    const refresh = (refreshToken, organizationId) => users.authenticateWithRefreshToken({ refreshToken, organizationId });

    async function miaIn(organizationId, options = {}) {
      const pendingAuthenticationToken = await untilSelection(workos, people.mia, password);
      return users.authenticateWithOrganizationSelection({ pendingAuthenticationToken, organizationId, ...options });
    }

    test('a refresh rotates the token and stays in the organization and the session', async () => {
      const first = await miaIn(organizations.contoso);
      const second = await refresh(first.refreshToken);
      const third = await refresh(second.refreshToken);
      assert.equal(new Set([first, second, third].map((answer) => answer.refreshToken)).size, 3);
      for (const answer of [second, third]) {
        assert.equal(answer.organizationId, organizations.contoso);
        assert.equal(answer.authenticationMethod, 'Password');
        assert.equal(answer.user.email, people.mia);
        const claims = decodeJwt(answer.accessToken);
        assert.equal(claims.org_id, organizations.contoso);
        assert.equal(claims.sid, decodeJwt(first.accessToken).sid);
        assert.notEqual(claims.jti, decodeJwt(first.accessToken).jti);
      }
    });

    test('within its grace a spent token answers the same successor, and the successor works', async () => {
      const first = await miaIn(organizations.contoso);
      const second = await refresh(first.refreshToken);
      const again = await refresh(first.refreshToken);
      assert.equal(again.refreshToken, second.refreshToken);
      assert.equal(again.organizationId, organizations.contoso);
      assert.notEqual((await refresh(again.refreshToken)).refreshToken, second.refreshToken);
    });

    test('ten refreshes at once all name one successor', async () => {
      const first = await miaIn(organizations.northwind);
      const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(first.refreshToken)));
      assert.equal(new Set(answers.map((answer) => answer.refreshToken)).size, 1);
      assert.notEqual(answers[0].refreshToken, first.refreshToken);
    });

    test('a session without an organization stays without one', async () => {
      const first = await users.authenticateWithPassword({ email: people.zoe, password });
      const second = await refresh(first.refreshToken);
      assert.equal(second.organizationId, undefined);
      assert.ok(!('org_id' in decodeJwt(second.accessToken)));
    });

    test('a refresh can switch to another organization, and then stays there', async () => {
      const first = await miaIn(organizations.contoso);
      const switched = await refresh(first.refreshToken, organizations.northwind);
      assert.equal(switched.organizationId, organizations.northwind);
      const claims = decodeJwt(switched.accessToken);
      assert.equal(claims.org_id, organizations.northwind);
      assert.equal(claims.role, 'owner');
      assert.equal(claims.sid, decodeJwt(first.accessToken).sid);
      assert.equal((await refresh(switched.refreshToken)).organizationId, organizations.northwind);
    });

    test('a switch to an organization that is not theirs is refused and costs nothing', async () => {
      const first = await miaIn(organizations.contoso);
      const foreign = [organizations.fabrikam, organizations.tailspin, unknownOrganization];
      for (const organizationId of foreign) {
        const refused = await refusal(refresh(first.refreshToken, organizationId));
        assert.equal(refused.status, 400);
        assert.ok(['organization_membership_not_found', 'organization_not_found'].includes(refused.code), refused.code);
        assert.equal(refused.error.name, 'OauthException');
      }
      const second = await refresh(first.refreshToken);
      assert.equal(second.organizationId, organizations.contoso);
    });

    test('deactivating the membership ends the sessions in that organization', async () => {
      const person = await newUser(server, [{ organizationId: organizations.northwind }]);
      const first = await users.authenticateWithPassword({ email: person.email, password, session });
      assert.equal(first.organizationId, organizations.northwind);
      await users.deactivateOrganizationMembership(person.memberships[0].id);
      const refused = await refusal(refresh(first.refreshToken));
      assert.equal(refused.status, 400);
      assert.equal(refused.error.name, 'OauthException');
      assert.equal(refused.error.error, 'invalid_grant');
      // The sealed session names the organization on each refresh; that must not turn the end into something to retry.
      const sealed = await users.loadSealedSession({ sessionData: first.sealedSession, cookiePassword }).refresh();
      assert.equal(sealed.authenticated, false);
      assert.equal(sealed.reason, 'invalid_grant');
      const next = await users.authenticateWithPassword({ email: person.email, password });
      assert.equal(next.organizationId, undefined);
    });

    test('deleting the membership does the same, and leaves sessions elsewhere alone', async () => {
      const person = await newUser(server, [
        { organizationId: organizations.northwind }, { organizationId: organizations.contoso }]);
      const signIn = async (organizationId) => users.authenticateWithOrganizationSelection({
        pendingAuthenticationToken: await untilSelection(workos, person.email, password), organizationId,
      });
      const northwind = await signIn(organizations.northwind);
      const contoso = await signIn(organizations.contoso);
      await users.deleteOrganizationMembership(person.memberships[0].id);
      assert.equal((await refusal(refresh(northwind.refreshToken))).code, 'invalid_grant');
      assert.equal((await refresh(contoso.refreshToken)).organizationId, organizations.contoso);
    });

    test('deleting the person ends everything', async () => {
      const person = await newUser(server, [{ organizationId: organizations.northwind }]);
      const first = await users.authenticateWithPassword({ email: person.email, password });
      await users.deleteUser(person.id);
      assert.equal((await refusal(refresh(first.refreshToken))).code, 'invalid_grant');
      assert.equal((await refusal(users.authenticateWithPassword({ email: person.email, password }))).code, 'invalid_credentials');
    });

    test('a refresh token that was never issued, or is cut short, is invalid', async () => {
      const { refreshToken } = await miaIn(organizations.contoso);
      for (const token of ['never-issued', refreshToken.slice(0, -3)]) {
        const refused = await refusal(refresh(token));
        assert.deepEqual([refused.status, refused.code], [400, 'invalid_grant']);
      }
    });

    test('a refresh token belongs to the client it was issued to', async () => {
      const { refreshToken } = await miaIn(organizations.contoso);
      const neighbour = workosFor(server, sdk.WorkOS, 'globex-authkit', 'sk_demo_globex');
      const refused = await refusal(neighbour.userManagement.authenticateWithRefreshToken({ refreshToken }));
      assert.deepEqual([refused.status, refused.code], [400, 'invalid_grant']);
    });

    test('a sealed session is authentic and names the organization', async () => {
      const answer = await miaIn(organizations.northwind, { session });
      const sealed = users.loadSealedSession({ sessionData: answer.sealedSession, cookiePassword });
      const authenticated = await sealed.authenticate();
      assert.equal(authenticated.authenticated, true);
      assert.equal(authenticated.organizationId, organizations.northwind);
      assert.equal(authenticated.role, 'owner');
      assert.deepEqual(authenticated.roles, ['owner']);
      assert.ok(authenticated.permissions.includes('billing:write'));
      assert.equal(authenticated.user.email, people.mia);
      assert.match(authenticated.sessionId, /^s_[0-9a-z]{25}$/);
    });

    test('a sealed session refreshes, switches, and is again authentic', async () => {
      const answer = await miaIn(organizations.northwind, { session });
      const sealed = users.loadSealedSession({ sessionData: answer.sealedSession, cookiePassword });
      const same = await sealed.refresh();
      assert.equal(same.authenticated, true);
      assert.equal(same.organizationId, organizations.northwind);
      const switched = await sealed.refresh({ organizationId: organizations.contoso });
      assert.equal(switched.authenticated, true);
      assert.equal(switched.organizationId, organizations.contoso);
      assert.equal(switched.role, 'member');
      const reloaded = users.loadSealedSession({ sessionData: switched.sealedSession, cookiePassword });
      const authenticated = await reloaded.authenticate();
      assert.equal(authenticated.authenticated, true);
      assert.equal(authenticated.organizationId, organizations.contoso);
    });

    test('a sealed session whose token was signed by somebody else is not authentic', async () => {
      const answer = await miaIn(organizations.northwind, { session });
      const cut = answer.accessToken.lastIndexOf('.') + 5;
      const letter = answer.accessToken[cut] === 'A' ? 'B' : 'A';
      const accessToken = answer.accessToken.slice(0, cut) + letter + answer.accessToken.slice(cut + 1);
      const sessionData = await users.sealSessionDataFromAuthenticationResponse({
        authenticationResponse: { ...answer, accessToken }, cookiePassword,
      });
      const result = await users.loadSealedSession({ sessionData, cookiePassword }).authenticate();
      assert.deepEqual([result.authenticated, result.reason], [false, 'invalid_jwt']);
    });

    test('sessions are listed with their organization, and a revoked one is gone and refreshes no more', async () => {
      const person = await newUser(server, [{ organizationId: organizations.northwind }]);
      const first = await users.authenticateWithPassword({ email: person.email, password, userAgent: 'first' });
      const second = await users.authenticateWithPassword({ email: person.email, password, userAgent: 'second' });
      const [firstId, secondId] = [first, second].map((answer) => decodeJwt(answer.accessToken).sid);
      assert.notEqual(firstId, secondId);
      const listed = (await users.listSessions(person.id)).data;
      assert.deepEqual(listed.map((item) => item.id).sort(), [firstId, secondId].sort());
      for (const item of listed) {
        assert.equal(item.object, 'session');
        assert.equal(item.userId, person.id);
        assert.equal(item.status, 'active');
        assert.equal(item.authMethod, 'password');
        assert.equal(item.organizationId, organizations.northwind);
        assert.ok(Date.parse(item.expiresAt) > Date.now());
        assert.equal(item.endedAt, null);
      }
      assert.equal(listed.find((item) => item.id === firstId).userAgent, 'first');

      await users.revokeSession({ sessionId: firstId });
      const left = (await users.listSessions(person.id)).data;
      assert.deepEqual(left.map((item) => item.id), [secondId]);
      assert.equal((await refusal(refresh(first.refreshToken))).code, 'invalid_grant');
      assert.equal((await refresh(second.refreshToken)).organizationId, organizations.northwind);
      assert.equal((await refusal(users.revokeSession({ sessionId: 'session_0000000000000000000000001' }))).status, 404);
    });

    test('the sign-out address ends the session and goes back to the registered page, and to no other', async () => {
      const person = await newUser(server, [{ organizationId: organizations.northwind }]);
      const answer = await users.authenticateWithPassword({ email: person.email, password, session });
      const sealed = users.loadSealedSession({ sessionData: answer.sealedSession, cookiePassword });
      const elsewhere = await sealed.getLogoutUrl({ returnTo: 'https://attacker.test/' });
      const refused = await fetch(elsewhere, { redirect: 'manual' });
      assert.equal(refused.status, 422);
      assert.equal(refused.headers.get('location'), null);

      const url = await sealed.getLogoutUrl({ returnTo: 'http://localhost:3000/' });
      const gone = await fetch(url, { redirect: 'manual' });
      assert.equal(gone.status, 302);
      assert.equal(gone.headers.get('location'), 'http://localhost:3000/');
      assert.equal((await refusal(refresh(answer.refreshToken))).code, 'invalid_grant');
    });

    test('a refreshed token verifies over the JWKS and lives 300 seconds', async () => {
      const first = await miaIn(organizations.contoso);
      const second = await refresh(first.refreshToken);
      const { payload } = await jwtVerify(second.accessToken, createRemoteJWKSet(new URL(users.getJwksUrl('demo-authkit'))), {
        issuer: `${server.url}/user_management/demo-authkit`, algorithms: ['RS256'], subject: first.user.id,
      });
      assert.equal(payload.exp - payload.iat, 300);
    });
  });
}
