// AuthKit: organizations and memberships, with two majors of the unmodified WorkOS SDK.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newUser, organizationIds, people, unique, unknownOrganization, workosFor } from './demo.mjs';
import { startServer } from './server.mjs';
import { refusal, sdks } from './workos.mjs';

let server;
let demo;
before(async () => {
  server = await startServer({ name: 'authkit.organizations' });
  demo = await organizationIds(server);
});
after(() => server?.stop());

for (const sdk of sdks) {
  describe(`Organizations with ${sdk.name}`, () => {
    let workos;
    let organizations;
    before(() => {
      workos = workosFor(server, sdk.WorkOS);
      organizations = workos.organizations;
    });

    test('the demo organizations are there, and the neighbour realm\'s is not', async () => {
      const names = (await (await organizations.listOrganizations()).autoPagination()).map((item) => item.name);
      for (const name of ['Northwind', 'Contoso', 'Fabrikam', 'Tailspin']) assert.ok(names.includes(name), name);
      assert.ok(!names.includes('Initech'));
      const northwind = await organizations.getOrganization(demo.northwind);
      assert.deepEqual(northwind.domains.map((item) => [item.domain, item.state]), [['northwind.test', 'verified']]);
    });

    test('an organization is created with what was given, and read back the same', async () => {
      const domain = `${unique('dom')}.test`;
      const externalId = unique('ext');
      const created = await organizations.createOrganization({
        name: 'Created', domainData: [{ domain, state: 'verified' }], externalId, metadata: { tier: 'one' },
      });
      assert.match(created.id, /^org_[0-9a-z]{25}$/);
      assert.equal(created.object, 'organization');
      assert.equal(created.name, 'Created');
      assert.equal(created.externalId, externalId);
      assert.deepEqual(created.metadata, { tier: 'one' });
      assert.equal(created.domains.length, 1);
      assert.deepEqual([created.domains[0].domain, created.domains[0].state], [domain, 'verified']);
      assert.equal(created.domains[0].organizationId, created.id);
      assert.deepEqual(await organizations.getOrganization(created.id), created);
      assert.deepEqual(await organizations.getOrganizationByExternalId(externalId), created);
    });

    test('a domain and an external id belong to one organization', async () => {
      const domain = `${unique('dom')}.test`;
      const externalId = unique('ext');
      await organizations.createOrganization({ name: 'First', domainData: [{ domain, state: 'verified' }], externalId });
      const taken = await refusal(organizations.createOrganization({
        name: 'Second', domainData: [{ domain: domain.toUpperCase(), state: 'verified' }],
      }));
      assert.equal(taken.status, 409);
      const used = await refusal(organizations.createOrganization({ name: 'Third', externalId }));
      assert.deepEqual([used.status, used.code], [400, 'external_id_already_used']);
    });

    test('an update changes what it names and leaves the rest', async () => {
      const created = await organizations.createOrganization({ name: 'Before', metadata: { tier: 'one' }, externalId: unique('ext') });
      const updated = await organizations.updateOrganization({ organization: created.id, name: 'After' });
      assert.equal(updated.name, 'After');
      assert.deepEqual(updated.metadata, { tier: 'one' });
      assert.equal(updated.externalId, created.externalId);
      assert.deepEqual(await organizations.getOrganization(created.id), updated);
    });

    test('a deleted organization is not found and not listed any more', async () => {
      const created = await organizations.createOrganization({ name: unique('Deleted') });
      await organizations.deleteOrganization(created.id);
      const refused = await refusal(organizations.getOrganization(created.id));
      assert.deepEqual([refused.status, refused.name], [404, 'NotFoundException']);
      const all = await (await organizations.listOrganizations()).autoPagination();
      assert.ok(!all.some((item) => item.id === created.id));
    });

    test('an organization that is unknown, malformed or another realm\'s is not found', async () => {
      const neighbour = workosFor(server, sdk.WorkOS, 'globex-authkit', 'sk_demo_globex');
      const [initech] = (await neighbour.organizations.listOrganizations()).data;
      assert.equal(initech.name, 'Initech');
      for (const id of [unknownOrganization, 'nonsense', initech.id]) {
        assert.equal((await refusal(organizations.getOrganization(id))).status, 404, id);
      }
      assert.equal((await refusal(organizations.updateOrganization({ organization: initech.id, name: 'Mine' }))).status, 404);
      assert.equal((await refusal(organizations.getOrganizationByExternalId(unique('ext')))).status, 404);
    });

    test('pages follow each other to the end, and auto-pagination finds what the pages hold', async () => {
      const mark = unique('Page');
      const expected = [];
      for (let number = 0; number < 5; number++) {
        expected.push((await organizations.createOrganization({ name: `${mark} ${number}` })).id);
      }
      const seen = [];
      let after;
      do {
        const page = await organizations.listOrganizations({ limit: 2, order: 'asc', after });
        assert.ok(page.data.length <= 2);
        seen.push(...page.data.map((item) => item.id));
        after = page.listMetadata.after;
      } while (after);
      assert.equal(new Set(seen).size, seen.length, 'an organization came twice');
      assert.deepEqual(seen.filter((id) => expected.includes(id)), expected);
      const all = await (await organizations.listOrganizations({ order: 'asc' })).autoPagination();
      assert.deepEqual(all.map((item) => item.id), seen);
      const newest = await organizations.listOrganizations({ limit: 1 });
      assert.equal(newest.data[0].id, expected.at(-1), 'the default order is newest first');
    });

    test('the list can be searched by name and asked for a domain', async () => {
      const domain = `${unique('dom')}.test`;
      const name = unique('Searchable');
      const created = await organizations.createOrganization({ name, domainData: [{ domain, state: 'verified' }] });
      const { data } = await workos.get('/organizations', { query: { search: name.toLowerCase().slice(0, -1) } });
      assert.deepEqual(data.data.map((item) => item.id), [created.id]);
      const byDomain = await organizations.listOrganizations({ domains: [domain] });
      assert.deepEqual(byDomain.data.map((item) => item.id), [created.id]);
    });
  });

  describe(`Memberships with ${sdk.name}`, () => {
    let users;
    let organizations;
    before(() => {
      const workos = workosFor(server, sdk.WorkOS);
      users = workos.userManagement;
      organizations = workos.organizations;
    });

    test('a membership is created with a role, or with the default one', async () => {
      const person = await newUser(server);
      const admin = await users.createOrganizationMembership({
        userId: person.id, organizationId: demo.northwind, roleSlug: 'admin' });
      assert.match(admin.id, /^mem_[0-9a-z]{25}$/);
      assert.equal(admin.object, 'organization_membership');
      assert.deepEqual([admin.userId, admin.organizationId], [person.id, demo.northwind]);
      assert.equal(admin.organizationName, 'Northwind');
      assert.equal(admin.status, 'active');
      assert.deepEqual(admin.role, { slug: 'admin' });
      assert.deepEqual(admin.roles, [{ slug: 'admin' }]);
      assert.equal(admin.directoryManaged, false);
      const member = await users.createOrganizationMembership({ userId: person.id, organizationId: demo.contoso });
      assert.deepEqual(member.role, { slug: 'member' });
      assert.deepEqual(await users.getOrganizationMembership(admin.id), admin);
    });

    test('a role that does not exist is refused', async () => {
      const person = await newUser(server);
      const refused = await refusal(users.createOrganizationMembership({
        userId: person.id, organizationId: demo.northwind, roleSlug: 'emperor' }));
      assert.deepEqual([refused.status, refused.code], [422, 'invalid_role']);
      const { data } = await users.listOrganizationMemberships({ userId: person.id });
      assert.deepEqual(data, []);
    });

    test('a membership needs an organization and a user of this realm', async () => {
      const person = await newUser(server);
      for (const [userId, organizationId] of [
        [person.id, unknownOrganization], ['usr_0000000000000000000000001', demo.northwind]]) {
        assert.equal((await refusal(users.createOrganizationMembership({ userId, organizationId }))).status, 404);
      }
    });

    test('the list shows active ones unless it is asked for others', async () => {
      const [mia] = (await users.listUsers({ email: people.mia })).data;
      const list = async (statuses) => (await users.listOrganizationMemberships({ userId: mia.id, statuses })).data;
      const byDefault = await list(undefined);
      assert.ok(byDefault.every((item) => item.status === 'active'));
      const organizationsOf = (items) => items.map((item) => item.organizationId);
      for (const id of [demo.northwind, demo.contoso]) assert.ok(organizationsOf(byDefault).includes(id));
      assert.ok(!organizationsOf(byDefault).includes(demo.fabrikam));
      const inactive = await list(['inactive']);
      assert.deepEqual(organizationsOf(inactive), [demo.fabrikam]);
      assert.equal(inactive[0].status, 'inactive');
      const both = await list(['active', 'inactive']);
      assert.equal(both.length, byDefault.length + 1);
      assert.deepEqual(await list(['pending']), []);
    });

    test('the list can be asked for an organization, page by page', async () => {
      const organization = await organizations.createOrganization({ name: unique('Members') });
      const expected = [];
      for (let number = 0; number < 3; number++) {
        expected.push((await newUser(server, [{ organizationId: organization.id }])).memberships[0].id);
      }
      const first = await users.listOrganizationMemberships({ organizationId: organization.id, limit: 2, order: 'asc' });
      assert.deepEqual(first.data.map((item) => item.id), expected.slice(0, 2));
      const second = await users.listOrganizationMemberships({
        organizationId: organization.id, limit: 2, order: 'asc', after: first.listMetadata.after });
      assert.deepEqual(second.data.map((item) => item.id), expected.slice(2));
      assert.equal(second.listMetadata.after, null);
      const all = await (await users.listOrganizationMemberships({ organizationId: organization.id })).autoPagination();
      assert.deepEqual(all.map((item) => item.id).sort(), expected.toSorted());
    });

    test('the list needs a user or an organization', async () => {
      const refused = await refusal(users.listOrganizationMemberships({}));
      assert.deepEqual([refused.status, refused.code], [400, 'missing_user_id_or_organization_id']);
    });

    test('the role can be changed', async () => {
      const person = await newUser(server, [{ organizationId: demo.northwind }]);
      const updated = await users.updateOrganizationMembership(person.memberships[0].id, { roleSlug: 'owner' });
      assert.deepEqual([updated.role, updated.roles], [{ slug: 'owner' }, [{ slug: 'owner' }]]);
      const refused = await refusal(users.updateOrganizationMembership(updated.id, { roleSlug: 'emperor' }));
      assert.deepEqual([refused.status, refused.code], [422, 'invalid_role']);
      assert.deepEqual((await users.getOrganizationMembership(updated.id)).role, { slug: 'owner' });
    });

    test('deactivating and reactivating can be repeated, and keep the role', async () => {
      const person = await newUser(server, [{ organizationId: demo.northwind, roleSlug: 'admin' }]);
      const [{ id }] = person.memberships;
      for (const step of ['deactivateOrganizationMembership', 'reactivateOrganizationMembership']) {
        const status = step.startsWith('deactivate') ? 'inactive' : 'active';
        for (const time of ['once', 'twice']) {
          const answer = await users[step](id);
          assert.equal(answer.status, status, `${step} ${time}`);
          assert.deepEqual(answer.role, { slug: 'admin' });
        }
      }
    });

    test('creating a membership that is inactive brings it back', async () => {
      const person = await newUser(server, [{ organizationId: demo.northwind }]);
      await users.deactivateOrganizationMembership(person.memberships[0].id);
      const again = await users.createOrganizationMembership({ userId: person.id, organizationId: demo.northwind, roleSlug: 'admin' });
      assert.equal(again.status, 'active');
      const { data } = await users.listOrganizationMemberships({ userId: person.id, statuses: ['active', 'inactive', 'pending'] });
      assert.equal(data.length, 1);
    });

    test('a deleted membership is not found any more', async () => {
      const person = await newUser(server, [{ organizationId: demo.northwind }]);
      const [{ id }] = person.memberships;
      await users.deleteOrganizationMembership(id);
      const refused = await refusal(users.getOrganizationMembership(id));
      assert.deepEqual([refused.status, refused.code], [404, 'entity_not_found']);
      assert.equal((await refusal(users.deactivateOrganizationMembership(id))).status, 404);
    });
  });
}

describe('Array parameters on the wire', () => {
  test('statuses is understood in all five encodings', async () => {
    const person = await newUser(server, [{ organizationId: demo.northwind }, { organizationId: demo.contoso }]);
    await workosFor(server).userManagement.deactivateOrganizationMembership(person.memberships[1].id);
    const encodings = [
      'statuses=active,inactive', 'statuses=active&statuses=inactive', 'statuses[]=active&statuses[]=inactive',
      'statuses[0]=active&statuses[1]=inactive', 'statuses%5B0%5D=active&statuses%5B1%5D=inactive',
      'statuses[0][name]=Active&statuses[0][value]=active&statuses[1][name]=Inactive&statuses[1][value]=inactive',
    ];
    for (const encoding of encodings) {
      const answer = await fetch(`${server.url}/user_management/organization_memberships?user_id=${person.id}&${encoding}`, {
        headers: { Authorization: 'Bearer sk_demo_atrium', 'Content-Type': 'application/json' },
      });
      assert.equal(answer.status, 200, encoding);
      assert.deepEqual((await answer.json()).data.map((item) => item.status).sort(), ['active', 'inactive'], encoding);
    }
  });

  test('a body-less PUT without a content type is an empty request', async () => {
    const person = await newUser(server, [{ organizationId: demo.northwind }]);
    const [{ id }] = person.memberships;
    for (const [step, headers, body] of [
      ['deactivate', {}, undefined], ['reactivate', { 'Content-Type': 'application/json' }, ''],
      ['deactivate', { 'Content-Type': 'application/json; charset=utf-8' }, '{}']]) {
      const answer = await fetch(`${server.url}/user_management/organization_memberships/${id}/${step}`, {
        method: 'PUT', body, headers: { Authorization: 'Bearer sk_demo_atrium', ...headers },
      });
      assert.equal(answer.status, 200);
      assert.equal((await answer.json()).status, step === 'deactivate' ? 'inactive' : 'active');
    }
  });
});
