// OAuth/OIDC: somebody in 500 organizations. The tokens stay small and say where the organizations are; a standard client finds them there.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oidc from 'openid-client';
import { startBrowser } from './browser.mjs';
import { apiKey, newUser, unique } from './demo.mjs';
import { accessClaims, authorization, clientFor, issuerOf } from './oauth.mjs';
import { startServer } from './server.mjs';

const budget = 4096;
const many = 500;

let server;
let browser;
let web;
before(async () => {
  server = await startServer({ name: 'oauth.budget' });
  browser = await startBrowser(server);
  web = await clientFor(server, 'demo-web');
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function manage(method, path, body) {
  const response = await fetch(`${server.url}/v1/realms/acme${path}`, {
    method, body: body && JSON.stringify(body), headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
  });
  const answer = await response.json();
  assert.ok(response.ok, JSON.stringify(answer));
  return answer.data;
}

/** A person with a password, in so many new organizations. */
async function personIn(count) {
  const user = await newUser(server);
  const ids = [];
  for (let i = 0; i < count; i++) {
    const { id } = await manage('POST', '/organizations', { name: unique('Customer') });
    await manage('POST', `/organizations/${id}/members`, { user_id: user.id, scopes: ['member', 'projects:read'] });
    ids.push(id);
  }
  return { ...user, ids };
}

async function signIn(email, parameters) {
  const person = await browser.person();
  const request = await authorization(web, parameters);
  const tokens = await request.redeem(await person.signIn(request.url, email));
  await person.close();
  return tokens;
}

describe(`Somebody in ${many} organizations`, () => {
  let user;
  before(async () => { user = await personIn(many); });

  test('gets small tokens, which name userinfo for the organizations', async (t) => {
    const tokens = await signIn(user.email);
    const refreshed = await oidc.refreshTokenGrant(web, tokens.refresh_token);
    for (const [name, given] of Object.entries({ tokens, refreshed })) {
      t.diagnostic(`${name}: access ${given.access_token.length}, ID ${given.id_token.length}, refresh ${given.refresh_token.length} characters`);
      const access = await accessClaims(server, given.access_token, 'demo-web');
      for (const claims of [access, given.claims()]) {
        assert.ok(!('organizations' in claims));
        assert.deepEqual(claims._claim_names, { organizations: 'userinfo' });
        assert.deepEqual(claims._claim_sources, { userinfo: { endpoint: `${issuerOf(server)}/userinfo` } });
      }
      assert.ok(given.access_token.length < 2000 && given.id_token.length < 2000);

      // The place that the token names is the one that discovery names, and the holder's own token opens it.
      assert.equal(access._claim_sources.userinfo.endpoint, web.serverMetadata().userinfo_endpoint);
      const userinfo = await oidc.fetchUserInfo(web, given.access_token, access.sub);
      assert.deepEqual(new Set(userinfo.organizations.map((entry) => entry.id)), new Set(user.ids));
      assert.ok(!('_claim_names' in userinfo));
    }
  });

  test('gets the organization itself where one is selected', async () => {
    const tokens = await signIn(user.email, { org: user.ids[321] });
    const access = await accessClaims(server, tokens.access_token, 'demo-web');
    assert.deepEqual(access.organizations.map((entry) => entry.id), [user.ids[321]]);
    assert.ok(!('_claim_names' in access));
  });

  test('is told of in the log, once', async () => {
    const told = await manage('GET', '/events?types=client.organization_budget_exceeded');
    assert.equal(told.length, 1);
    const { data } = told[0];
    assert.deepEqual([data.client_id, data.budget, data.count], ['demo-web', budget, many]);
    assert.ok(data.bytes > budget);
  });
});

test('Somebody in twenty organizations has all of them in the token', async (t) => {
  const user = await personIn(20);
  const tokens = await signIn(user.email);
  t.diagnostic(`access ${tokens.access_token.length}, ID ${tokens.id_token.length} characters`);
  const access = await accessClaims(server, tokens.access_token, 'demo-web');
  assert.deepEqual(new Set(access.organizations.map((entry) => entry.id)), new Set(user.ids));
  assert.ok(JSON.stringify(access.organizations).length <= budget);
});
