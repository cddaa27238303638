// OAuth/OIDC: tokens for one selected organization, and memberships that change while a session lives.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { startBrowser } from './browser.mjs';
import { newUser, organizationIds, people, unknownOrganization, workosFor } from './demo.mjs';
import { accessClaims, authorization, clientFor, issuerOf, oauthError } from './oauth.mjs';
import { startServer } from './server.mjs';

let server;
let browser;
let organizations;
let web;
before(async () => {
  server = await startServer({ name: 'oauth.organizations' });
  browser = await startBrowser(server);
  organizations = await organizationIds(server);
  web = await clientFor(server, 'demo-web');
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function signIn(email, parameters = {}) {
  const person = await browser.person();
  const request = await authorization(web, parameters);
  const arrival = await person.signIn(request.url, email);
  return { person, arrival, request };
}

/** The ids of the organizations in the access token; the ID token (if any) and userinfo must say the same. */
async function organizationsOf(tokens) {
  const access = await accessClaims(server, tokens.access_token, 'demo-web');
  const asText = JSON.stringify(access.organizations);
  if (tokens.id_token) assert.equal(JSON.stringify(tokens.claims().organizations), asText);
  const userinfo = await oidc.fetchUserInfo(web, tokens.access_token, access.sub);
  assert.equal(JSON.stringify(userinfo.organizations), asText);
  return access.organizations.map((entry) => entry.id);
}

describe('Tokens for one selected organization', () => {
  test('speak of that organization only, and the refresh token carries the mark', async () => {
    const { person, arrival, request } = await signIn(people.mia, { org: organizations.northwind });
    const tokens = await request.redeem(arrival);
    assert.deepEqual(await organizationsOf(tokens), [organizations.northwind]);
    const mark = decodeJwt(tokens.refresh_token);
    assert.equal(mark.org_id, organizations.northwind);
    assert.ok(!('organizations' in mark));
    const refreshed = await oidc.refreshTokenGrant(web, tokens.refresh_token);
    assert.deepEqual(await organizationsOf(refreshed), [organizations.northwind]);
    assert.equal(decodeJwt(refreshed.refresh_token).org_id, organizations.northwind);
    await person.close();
  });

  test('are had silently for another organization while the browser session stands', async () => {
    const { person, arrival, request } = await signIn(people.mia, { org: organizations.northwind });
    const northwind = await request.redeem(arrival);
    const silent = await authorization(web, { org: organizations.contoso, prompt: 'none' });
    const contoso = await silent.redeem(await person.comesBack(silent.url));
    assert.deepEqual(await organizationsOf(contoso), [organizations.contoso]);
    assert.equal(contoso.claims().sub, northwind.claims().sub);
    assert.equal(contoso.claims().auth_time, northwind.claims().auth_time);
    const all = await authorization(web, { prompt: 'none' });
    const both = await all.redeem(await person.comesBack(all.url));
    assert.deepEqual((await organizationsOf(both)).sort(), [organizations.northwind, organizations.contoso].sort());
    // The tokens that were there before are what they were.
    assert.deepEqual(await organizationsOf(await oidc.refreshTokenGrant(web, northwind.refresh_token)), [organizations.northwind]);
    await person.close();
  });

  test('are had without a password page while the browser session stands', async () => {
    const { person, arrival, request } = await signIn(people.sam);
    await request.redeem(arrival);
    const again = await authorization(web, { org: organizations.northwind });
    const tokens = await again.redeem(await person.comesBack(again.url));
    assert.deepEqual(await organizationsOf(tokens), [organizations.northwind]);
    await person.close();
  });

  test('are refused at the exchange to whoever is no active member', async () => {
    const { person, arrival, request } = await signIn(people.mia);
    await request.redeem(arrival);
    const stranger = await workosFor(server).organizations.createOrganization({ name: 'Not Mias' });
    const refused = {
      'a suspended membership': organizations.fabrikam,
      'a suspended organization': organizations.tailspin,
      'an organization of others': stranger.id,
      'no organization': unknownOrganization,
    };
    for (const [what, org] of Object.entries(refused)) {
      const attempt = await authorization(web, { org, prompt: 'none' });
      const back = await person.comesBack(attempt.url);
      assert.ok(back.searchParams.get('code'), `${what}: a code comes all the same`);
      const { error, status } = await oauthError(attempt.redeem(back));
      assert.deepEqual([error, status], ['invalid_grant', 400], what);
    }
    await person.close();
  });

  test('are refused before anybody signs in when the value is no organization id', async () => {
    const person = await browser.person();
    for (const org of ['nonsense', 'org_short', organizations.northwind.toUpperCase()]) {
      const request = await authorization(web, { org });
      const arrival = await person.comesBack(request.url);
      assert.equal((await oauthError(request.redeem(arrival))).error, 'invalid_request', org);
    }
    const twice = await authorization(web, { org: organizations.northwind });
    twice.url.searchParams.append('org', organizations.contoso);
    const arrival = await person.comesBack(twice.url);
    assert.equal((await oauthError(twice.redeem(arrival))).error, 'invalid_request');
    await person.close();
  });

  test('cannot be had, or changed, at the token endpoint', async () => {
    const { person, arrival, request } = await signIn(people.mia, { org: organizations.northwind });
    const refused = await oauthError(request.redeem(arrival, { org: organizations.contoso }));
    assert.equal(refused.error, 'invalid_request');
    const tokens = await request.redeem(arrival, { org: organizations.northwind }); // equal: ignored, and nothing was spent
    assert.deepEqual(await organizationsOf(tokens), [organizations.northwind]);
    const changed = await oauthError(oidc.refreshTokenGrant(web, tokens.refresh_token, { org: organizations.contoso }));
    assert.equal(changed.error, 'invalid_request');
    assert.deepEqual(await organizationsOf(await oidc.refreshTokenGrant(web, tokens.refresh_token)), [organizations.northwind]);
    await person.close();
  });
});

describe('Memberships that change while a session lives', () => {
  const memberships = () => [{ organizationId: organizations.northwind }, { organizationId: organizations.contoso }];
  const users = () => workosFor(server).userManagement;

  test('a membership that ends is gone from the next token and from userinfo, and the session lives on', async () => {
    const user = await newUser(server, memberships());
    const { person, arrival, request } = await signIn(user.email);
    const tokens = await request.redeem(arrival);
    assert.equal((await organizationsOf(tokens)).length, 2);
    await users().deactivateOrganizationMembership(user.memberships[0].id);
    const userinfo = await oidc.fetchUserInfo(web, tokens.access_token, user.id);
    assert.deepEqual(userinfo.organizations.map((entry) => entry.id), [organizations.contoso]);
    assert.equal(decodeJwt(tokens.access_token).organizations.length, 2, 'the old token is a snapshot');
    const second = await oidc.refreshTokenGrant(web, tokens.refresh_token);
    assert.deepEqual(await organizationsOf(second), [organizations.contoso]);
    await users().deleteOrganizationMembership(user.memberships[1].id);
    const third = await oidc.refreshTokenGrant(web, second.refresh_token);
    assert.deepEqual(await organizationsOf(third), []);
    const silent = await authorization(web, { prompt: 'none' });
    assert.ok((await silent.redeem(await person.comesBack(silent.url))).access_token, 'still signed in');
    await person.close();
  });

  test('a selected organization that is left gives an empty array and never the others, until the person is back', async () => {
    const user = await newUser(server, memberships());
    const { person, arrival, request } = await signIn(user.email, { org: organizations.northwind });
    const tokens = await request.redeem(arrival);
    await users().deactivateOrganizationMembership(user.memberships[0].id);
    const gone = await oidc.refreshTokenGrant(web, tokens.refresh_token);
    assert.deepEqual(await organizationsOf(gone), []);
    assert.equal(decodeJwt(gone.refresh_token).org_id, organizations.northwind);
    await users().reactivateOrganizationMembership(user.memberships[0].id);
    const back = await oidc.refreshTokenGrant(web, gone.refresh_token);
    assert.deepEqual(await organizationsOf(back), [organizations.northwind]);
    await person.close();
  });

  test('a membership that ends between the code and its exchange is refused', async () => {
    const user = await newUser(server, memberships());
    const { person, arrival, request } = await signIn(user.email, { org: organizations.northwind });
    await users().deactivateOrganizationMembership(user.memberships[0].id);
    assert.equal((await oauthError(request.redeem(arrival))).error, 'invalid_grant');
    await person.close();
  });

  test('a new role is in the next token', async () => {
    const user = await newUser(server, [{ organizationId: organizations.northwind, roleSlug: 'owner' }]);
    const { person, arrival, request } = await signIn(user.email);
    const tokens = await request.redeem(arrival);
    assert.deepEqual(tokens.claims().organizations[0].scopes, ['owner']);
    await users().updateOrganizationMembership(user.memberships[0].id, { roleSlug: 'member' });
    const refreshed = await oidc.refreshTokenGrant(web, tokens.refresh_token);
    assert.deepEqual(decodeJwt(refreshed.access_token).organizations[0].scopes, ['member']);
    await person.close();
  });

  test('an organization joined later is in the next token of all, and not in that of a selected one', async () => {
    const user = await newUser(server, [{ organizationId: organizations.northwind }]);
    const { person, arrival, request } = await signIn(user.email);
    const all = await request.redeem(arrival);
    const silent = await authorization(web, { org: organizations.northwind, prompt: 'none' });
    const selected = await silent.redeem(await person.comesBack(silent.url));
    await users().createOrganizationMembership({ userId: user.id, organizationId: organizations.contoso });
    const allNow = await organizationsOf(await oidc.refreshTokenGrant(web, all.refresh_token));
    assert.deepEqual(allNow.sort(), [organizations.northwind, organizations.contoso].sort());
    assert.deepEqual(await organizationsOf(await oidc.refreshTokenGrant(web, selected.refresh_token)), [organizations.northwind]);
    await person.close();
  });

  test('deleting the person ends tokens, userinfo and the browser session', async () => {
    const user = await newUser(server, memberships());
    const { person, arrival, request } = await signIn(user.email);
    const tokens = await request.redeem(arrival);
    await users().deleteUser(user.id);
    assert.equal((await oauthError(oidc.refreshTokenGrant(web, tokens.refresh_token))).error, 'invalid_grant');
    const answer = await fetch(`${issuerOf(server)}/userinfo`, { headers: { Authorization: `Bearer ${tokens.access_token}` } });
    assert.equal(answer.status, 401);
    const silent = await authorization(web, { prompt: 'none' });
    const back = await person.comesBack(silent.url);
    assert.equal((await oauthError(silent.redeem(back))).error, 'login_required');
    await person.close();
  });
});
