// The names and values of the demo realm, and its ids as the API tells them.
import { WorkOS } from '@workos-inc/node';

export const password = 'Demo-Passw0rd!';
export const people = { mia: 'mia@example.test', sam: 'sam@example.test', tom: 'tom@example.test', zoe: 'zoe@example.test' };
export const tomsSecret = 'JBSWY3DPEHPK3PXP';
export const apiKey = 'sk_demo_atrium';
export const callback = 'http://localhost:3000/callback';
export const nativeCallback = 'http://localhost:3000/cb';

/** An id of the right form that nothing has. */
export const unknownOrganization = 'org_0000000000000000000000001';

/** A WorkOS client of the given SDK version for the running server; `sdk` is the SDK's constructor. */
export const workosFor = (server, sdk = WorkOS, clientId = 'demo-authkit', key = apiKey) =>
  new sdk(key, { clientId, apiHostname: 'localhost', port: server.port, https: server.url.startsWith('https:'), maxRetries: 0 });

/** `{ northwind: 'org_…', … }`: every organization of the realm, by its name in lower case. */
export async function organizationIds(server) {
  const list = await workosFor(server).organizations.listOrganizations();
  const all = await list.autoPagination();
  return Object.fromEntries(all.map((organization) => [organization.name.toLowerCase(), organization.id]));
}

/** A person of their own for one test, with verified address and the demo password. */
export async function newUser(server, memberships = []) {
  const workos = workosFor(server);
  const user = await workos.userManagement.createUser({ email: uniqueEmail(), password, emailVerified: true });
  const created = [];
  for (const { organizationId, roleSlug } of memberships) {
    created.push(await workos.userManagement.createOrganizationMembership({ userId: user.id, organizationId, roleSlug }));
  }
  return { ...user, memberships: created };
}

let counter = 0;
export const unique = (prefix) => `${prefix}-${process.pid}-${Date.now().toString(36)}-${++counter}`;
export const uniqueEmail = () => `${unique('person')}@example.test`;
