// AuthKit: users, with two majors of the unmodified WorkOS SDK.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newUser, organizationIds, password, people, unique, uniqueEmail, workosFor } from './demo.mjs';
import { startServer } from './server.mjs';
import { refusal, sdks } from './workos.mjs';

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let server;
let organizations;
before(async () => {
  server = await startServer({ name: 'authkit.users' });
  organizations = await organizationIds(server);
});
after(() => server?.stop());

for (const sdk of sdks) {
  describe(`Users with ${sdk.name}`, () => {
    let users;
    before(() => { users = workosFor(server, sdk.WorkOS).userManagement; });

    test('a user is created with what was given, and read back the same', async () => {
      const email = uniqueEmail();
      const externalId = unique('ext');
      const created = await users.createUser({
        email, password, firstName: 'Ada', lastName: 'Test', emailVerified: true, externalId, metadata: { plan: 'gold' },
      });
      assert.match(created.id, /^usr_[0-9a-z]{25}$/);
      assert.equal(created.object, 'user');
      assert.equal(created.email, email);
      assert.equal(created.emailVerified, true);
      assert.deepEqual([created.firstName, created.lastName], ['Ada', 'Test']);
      assert.equal(created.externalId, externalId);
      assert.deepEqual(created.metadata, { plan: 'gold' });
      assert.equal(created.lastSignInAt, null);
      assert.match(created.createdAt, timestamp);
      assert.match(created.updatedAt, timestamp);
      assert.deepEqual(await users.getUser(created.id), created);
      assert.deepEqual(await users.getUserByExternalId(externalId), created);
    });

    test('what was not given is null, never missing', async () => {
      const created = await users.createUser({ email: uniqueEmail() });
      for (const key of ['firstName', 'lastName', 'profilePictureUrl', 'externalId', 'lastSignInAt']) {
        assert.equal(created[key], null, key);
      }
      assert.equal(created.emailVerified, false);
    });

    test('an update changes what it names and leaves the rest', async () => {
      const created = await users.createUser({
        email: uniqueEmail(), firstName: 'Ada', lastName: 'Test', metadata: { plan: 'gold', color: 'red' },
      });
      const updated = await users.updateUser({ userId: created.id, firstName: 'Eva', metadata: { color: null, size: 'L' } });
      assert.deepEqual([updated.firstName, updated.lastName], ['Eva', 'Test']);
      assert.deepEqual(updated.metadata, { plan: 'gold', size: 'L' });
      assert.equal(updated.email, created.email);
      assert.deepEqual(await users.getUser(created.id), updated);
    });

    test('a new password works and the old one does not', async () => {
      const person = await newUser(server, [{ organizationId: organizations.northwind }]);
      await users.updateUser({ userId: person.id, password: 'Another-Passw0rd!' });
      const refused = await refusal(users.authenticateWithPassword({ email: person.email, password }));
      assert.equal(refused.code, 'invalid_credentials');
      const answer = await users.authenticateWithPassword({ email: person.email, password: 'Another-Passw0rd!' });
      assert.equal(answer.user.id, person.id);
      assert.match(answer.user.lastSignInAt, timestamp);
    });

    test('a short or common password is refused with the reason', async () => {
      for (const weak of ['short', 'password']) {
        const refused = await refusal(users.createUser({ email: uniqueEmail(), password: weak }));
        assert.deepEqual([refused.status, refused.code], [400, 'password_strength_error'], weak);
        assert.ok(refused.errors.length >= 1);
      }
    });

    test('an address is used once, whatever its case', async () => {
      const refused = await refusal(users.createUser({ email: people.sam.toUpperCase() }));
      assert.deepEqual([refused.status, refused.code], [400, 'user_creation_error']);
      assert.deepEqual(refused.errors.map((error) => error.code), ['email_not_available']);
    });

    test('something that is no address is refused', async () => {
      const refused = await refusal(users.createUser({ email: 'not an address' }));
      assert.ok([400, 422].includes(refused.status), `status ${refused.status}`);
    });

    test('the list can be asked for one address', async () => {
      const { data } = await users.listUsers({ email: people.mia });
      assert.deepEqual(data.map((user) => user.email), [people.mia]);
      assert.deepEqual((await users.listUsers({ email: uniqueEmail() })).data, []);
    });

    test('the people of another realm are not in the list', async () => {
      assert.deepEqual((await users.listUsers({ email: 'kim@example.test' })).data, []);
      const all = await (await users.listUsers()).autoPagination();
      assert.ok(all.some((user) => user.email === people.zoe));
      assert.ok(!all.some((user) => user.email === 'kim@example.test'));
    });

    test('the list can be asked for one organization', async () => {
      const organization = await workosFor(server, sdk.WorkOS).organizations.createOrganization({ name: unique('Listed') });
      const inside = await newUser(server, [{ organizationId: organization.id }]);
      await newUser(server);
      const { data } = await users.listUsers({ organizationId: organization.id });
      assert.deepEqual(data.map((user) => user.id), [inside.id]);
    });

    test('pages follow each other in both orders without a gap or a repeat', async () => {
      const organization = await workosFor(server, sdk.WorkOS).organizations.createOrganization({ name: unique('Paged') });
      const expected = [];
      for (let number = 0; number < 5; number++) {
        expected.push((await newUser(server, [{ organizationId: organization.id }])).id);
      }
      for (const order of ['asc', 'desc']) {
        const seen = [];
        let after;
        let pages = 0;
        do {
          const page = await users.listUsers({ organizationId: organization.id, limit: 2, order, after });
          seen.push(...page.data.map((user) => user.id));
          after = page.listMetadata.after;
          pages++;
        } while (after);
        assert.deepEqual(seen, order === 'asc' ? expected : expected.toReversed(), order);
        assert.equal(pages, 3);
      }
      const back = await users.listUsers({ organizationId: organization.id, limit: 2, order: 'asc', before: expected[3] });
      assert.deepEqual(back.data.map((user) => user.id), expected.slice(1, 3));
    });

    test('a deleted user is not found any more', async () => {
      const person = await newUser(server);
      await users.deleteUser(person.id);
      const refused = await refusal(users.getUser(person.id));
      assert.equal(refused.status, 404);
      assert.equal(refused.code, 'entity_not_found');
      assert.equal((await refusal(users.deleteUser(person.id))).status, 404);
      assert.deepEqual((await users.listUsers({ email: person.email })).data, []);
    });

    test('an id of the wrong form, and the id of nobody, are both not found', async () => {
      for (const id of ['nonsense', 'usr_0000000000000000000000001', 'org_0000000000000000000000001']) {
        const refused = await refusal(users.getUser(id));
        assert.equal(refused.status, 404, id);
        assert.equal(refused.name, 'NotFoundException');
      }
    });

    test('a person of another realm cannot be read by id', async () => {
      const neighbour = workosFor(server, sdk.WorkOS, 'globex-authkit', 'sk_demo_globex');
      const [kim] = (await neighbour.userManagement.listUsers({ email: 'kim@example.test' })).data;
      assert.equal(kim.email, 'kim@example.test');
      assert.equal((await refusal(users.getUser(kim.id))).status, 404);
      assert.equal((await refusal(users.deleteUser(kim.id))).status, 404);
      assert.equal((await neighbour.userManagement.getUser(kim.id)).id, kim.id);
    });

    test('a wrong key is unauthorized', async () => {
      for (const key of ['sk_demo_wrong', 'nonsense']) {
        const refused = await refusal(workosFor(server, sdk.WorkOS, 'demo-authkit', key).userManagement.listUsers());
        assert.equal(refused.status, 401);
        assert.equal(refused.name, 'UnauthorizedException');
      }
    });
  });
}

describe('On the wire', () => {
  const call = (path, options = {}) => fetch(`${server.url}${path}`, {
    ...options, headers: { Authorization: 'Bearer sk_demo_atrium', ...options.headers },
  });
  const create = (body, headers = {}) => call('/user_management/users', {
    method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers },
  });

  test('the same idempotency key replays the answer, and refuses another request', async () => {
    const key = unique('retry');
    const email = uniqueEmail();
    const first = await create({ email }, { 'Idempotency-Key': key });
    const second = await create({ email }, { 'Idempotency-Key': key });
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.deepEqual(await second.json(), await first.json());
    const other = await create({ email: uniqueEmail() }, { 'Idempotency-Key': key });
    assert.equal(other.status, 400);
    assert.match((await other.json()).message, /idempotency key/i);
  });

  test('every answer has a request id of its own, good or bad', async () => {
    const answers = await Promise.all([
      call('/user_management/users'), call('/user_management/users/nonsense'),
      call('/user_management/users', { headers: { Authorization: 'Bearer no' } }),
    ]);
    assert.deepEqual(answers.map((answer) => answer.status), [200, 404, 401]);
    const ids = answers.map((answer) => answer.headers.get('x-request-id'));
    assert.ok(ids.every(Boolean));
    assert.equal(new Set(ids).size, 3);
    assert.deepEqual(await answers[2].json(), { message: 'Unauthorized' });
  });
});
