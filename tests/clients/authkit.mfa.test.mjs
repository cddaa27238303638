// AuthKit: the second factor, with two majors of the unmodified WorkOS SDK.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { organizationIds, password, people, tomsSecret, workosFor } from './demo.mjs';
import { startServer } from './server.mjs';
import { freshTotp, wrongTotp } from './totp.mjs';
import { factorsOf, refusal, sdks } from './workos.mjs';

let server;
let organizations;
before(async () => {
  server = await startServer({ name: 'authkit.mfa' });
  organizations = await organizationIds(server);
});
after(() => server?.stop());

for (const sdk of sdks) {
  describe(`A second factor with ${sdk.name}`, () => {
    let workos;
    let users;
    before(() => {
      workos = workosFor(server, sdk.WorkOS);
      users = workos.userManagement;
    });

    async function untilCode() {
      const refused = await refusal(users.authenticateWithPassword({ email: people.tom, password }));
      assert.equal(refused.status, 403);
      assert.equal(refused.code, 'mfa_challenge');
      const [factor] = refused.body.authentication_factors;
      const challenge = await factorsOf(workos).challengeFactor({ authenticationFactorId: factor.id });
      return {
        refused, factor, challenge,
        proof: {
          pendingAuthenticationToken: refused.pendingAuthenticationToken,
          authenticationChallengeId: challenge.id,
        },
      };
    }

    test('a person with a factor must prove it, and learns which factor', async () => {
      const { refused, factor, challenge } = await untilCode();
      if (sdk.module.AuthenticationException) assert.ok(refused.error instanceof sdk.module.AuthenticationException);
      assert.equal(refused.body.authentication_factors.length, 1);
      assert.match(factor.id, /^fac_/);
      assert.equal(factor.type, 'totp');
      assert.equal(refused.body.user.email, people.tom);
      assert.match(challenge.id, /^chal_/);
      assert.equal(challenge.authenticationFactorId, factor.id);
      assert.equal(challenge.object, 'authentication_challenge');
    });

    test('a wrong code is refused and the right one still signs in, to the only organization', async () => {
      const { proof } = await untilCode();
      const refused = await refusal(users.authenticateWithTotp({ ...proof, code: wrongTotp(tomsSecret) }));
      assert.equal(refused.status, 400);
      assert.equal(refused.code, 'invalid_one_time_code');
      const answer = await users.authenticateWithTotp({ ...proof, code: await freshTotp(tomsSecret) });
      assert.equal(answer.user.email, people.tom);
      assert.equal(answer.organizationId, organizations.contoso);
      assert.equal(answer.authenticationMethod, 'Password');
      assert.equal(decodeJwt(answer.accessToken).role, 'admin');
      const replayed = await refusal(users.authenticateWithTotp({ ...proof, code: '000000' }));
      assert.equal(replayed.status, 400);
      assert.equal(replayed.code, 'invalid_pending_authentication_token');
    });

    test('the choice of an organization does not stand in for the code', async () => {
      const { proof } = await untilCode();
      const refused = await refusal(users.authenticateWithOrganizationSelection({
        pendingAuthenticationToken: proof.pendingAuthenticationToken, organizationId: organizations.contoso,
      }));
      assert.ok(refused.status === 400 || refused.status === 403, `status ${refused.status}`);
      assert.notEqual(refused.code, 'invalid_client');
    });

    test('a challenge that belongs to nothing is refused', async () => {
      const { proof } = await untilCode();
      const refused = await refusal(users.authenticateWithTotp({
        ...proof, authenticationChallengeId: 'auth_challenge_0000000000000000000000001', code: wrongTotp(tomsSecret),
      }));
      assert.ok(refused.status === 400 || refused.status === 404, `status ${refused.status}`);
    });
  });
}

// Once only and last: wrong codes count against the account.
test('after five wrong codes the sign-in is over', async () => {
  const workos = workosFor(server);
  const users = workos.userManagement;
  const { pendingAuthenticationToken, body } = await refusal(users.authenticateWithPassword({ email: people.tom, password }));
  const challenge = await factorsOf(workos).challengeFactor({ authenticationFactorId: body.authentication_factors[0].id });
  const proof = { pendingAuthenticationToken, authenticationChallengeId: challenge.id };
  for (let attempt = 1; attempt <= 5; attempt++) {
    const refused = await refusal(users.authenticateWithTotp({ ...proof, code: wrongTotp(tomsSecret) }));
    assert.equal(refused.status, 400, `attempt ${attempt}`);
  }
  const refused = await refusal(users.authenticateWithTotp({ ...proof, code: await freshTotp(tomsSecret) }));
  assert.ok(refused.status === 400 || refused.status === 429, `status ${refused.status}`);
});
