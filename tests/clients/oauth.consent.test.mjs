// OAuth/OIDC: a third party's application asks once, is silent after that, and loses what the person takes away; the picker remembers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oidc from 'openid-client';
import { startBrowser } from './browser.mjs';
import { apiKey, callback, newUser, organizationIds, unique } from './demo.mjs';
import { accessClaims, authorization, clientFor, issuerOf, oauthError } from './oauth.mjs';
import { startServer } from './server.mjs';

let server;
let browser;
let organizations;
before(async () => {
  server = await startServer({ name: 'oauth.consent' });
  browser = await startBrowser(server);
  organizations = await organizationIds(server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Registers a public client with these settings. */
async function register(settings) {
  const client_id = unique('app');
  const made = await fetch(`${server.url}/v1/realms/acme/clients`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Ledger', type: 'spa', client_id, redirect_uris: [callback], settings }),
  });
  assert.equal(made.status, 201, await made.text());
  return clientFor(server, client_id);
}

const inBoth = () => newUser(server, [
  { organizationId: organizations.northwind, roleSlug: 'member' }, { organizationId: organizations.contoso, roleSlug: 'member' },
]);

describe('An application of a third party', () => {
  test('asks once, and is silent the second time', async () => {
    const config = await register({ first_party: false });
    const { email } = await newUser(server);
    const person = await browser.person();
    const first = await authorization(config);
    await person.open(first.url);
    await person.enterPassword(email);
    await person.page.getByRole('heading', { name: 'Allow Ledger?' }).waitFor();
    await person.page.getByRole('button', { name: 'Allow' }).click();
    const tokens = await first.redeem(await person.arrival());
    assert.equal(tokens.claims().email, email);
    const second = await authorization(config, { prompt: 'none' });
    await second.redeem(await person.comesBack(second.url));
    const wider = await authorization(config, { prompt: 'none', scope: 'openid ledgers:write' });
    const refusal = await oauthError(wider.redeem(await person.comesBack(wider.url)));
    assert.equal(refusal.error, 'consent_required');
    await person.close();
  });

  test('hears of it when the person says no', async () => {
    const config = await register({ first_party: false });
    const person = await browser.person();
    const request = await authorization(config);
    await person.open(request.url);
    await person.enterPassword((await newUser(server)).email);
    await person.page.getByRole('button', { name: 'Deny' }).click();
    const refusal = await oauthError(request.redeem(await person.arrival()));
    assert.equal(refusal.error, 'access_denied');
    await person.close();
  });

  test('loses everything when the person takes it away on the page of their applications', async () => {
    const config = await register({ first_party: false });
    const person = await browser.person();
    const request = await authorization(config);
    await person.open(request.url);
    await person.enterPassword((await newUser(server)).email);
    await person.page.getByRole('button', { name: 'Allow' }).click();
    const tokens = await request.redeem(await person.arrival());
    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    await person.open(`${issuerOf(server)}/account/applications`);
    await person.page.getByRole('button', { name: 'Take away Ledger' }).click();
    await person.page.getByText('That is taken away.').waitFor();
    assert.equal((await oauthError(oidc.refreshTokenGrant(config, refreshed.refresh_token))).error, 'invalid_grant');
    const silent = await authorization(config, { prompt: 'none' });
    assert.equal((await oauthError(silent.redeem(await person.comesBack(silent.url)))).error, 'consent_required');
    await person.close();
  });
});

describe('The picker', () => {
  test('offers all organizations, remembers the last choice, and works by keyboard', async () => {
    const config = await register({ organization_picker: 'always' });
    const { email } = await inBoth();
    const person = await browser.person();
    const first = await authorization(config);
    await person.open(first.url);
    await person.enterPassword(email);
    const choices = person.page.locator('button[name=organization]');
    await choices.first().waitFor();
    assert.deepEqual(await choices.evaluateAll((all) => all.map((one) => one.value)), ['all', organizations.northwind, organizations.contoso]);
    await choices.nth(2).focus();
    await person.page.keyboard.press('Enter');
    const contoso = await first.redeem(await person.arrival());
    assert.deepEqual((await claims(contoso)).map((entry) => entry.id), [organizations.contoso]);

    const second = await authorization(config);
    await person.open(second.url);
    assert.equal(await choices.first().getAttribute('value'), organizations.contoso);
    assert.match(await choices.first().innerText(), /Last used/);
    await person.page.getByRole('button', { name: 'All my organizations' }).click();
    assert.equal((await claims(await second.redeem(await person.arrival()))).length, 2);
    await person.close();

    async function claims(tokens) {
      return (await accessClaims(server, tokens.access_token, config.clientMetadata().client_id)).organizations;
    }
  });
});
