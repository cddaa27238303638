// Invitations as people see them: the letter in the demo's mail, the pages behind its link, and the application afterwards.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBrowser } from './browser.mjs';
import { apiKey, newUser, organizationIds, password, uniqueEmail } from './demo.mjs';
import { accessClaims, authorization, clientFor } from './oauth.mjs';
import { startServer } from './server.mjs';

let server;
let browser;
let organizations;
let web;
before(async () => {
  server = await startServer({ name: 'invitations' });
  browser = await startBrowser(server);
  organizations = await organizationIds(server);
  web = await clientFor(server, 'demo-web');
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function invite(email, organization = 'contoso') {
  const answer = await fetch(`${server.url}/v1/realms/acme/organizations/${organizations[organization]}/invitations`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ email_invited: email, scopes: ['member'], user_title: 'Analyst', message: 'Welcome aboard!', inviter: { name: 'Mia Moreno' } }),
  });
  assert.equal(answer.status, 201, await answer.text());
}

/** Opens the newest letter to this address in the demo's mail, and its link from there; the page behind the link. */
async function openLetter(person, email) {
  const line = person.page.locator('.letters a', { hasText: email });
  for (let i = 0; i < 50; i++) {
    await person.open(`${server.url}/demo/mail`);
    if (await line.count() > 0) break;
  }
  await line.first().click();
  const button = person.page.frameLocator('iframe').getByRole('link', { name: 'Accept the invitation' });
  const [opened] = await Promise.all([person.context.waitForEvent('page'), button.click()]);
  await opened.waitForLoadState();
  return opened;
}

const press = (page, name) => page.getByRole('button', { name }).click();
const heading = (page) => page.getByRole('heading', { level: 1 });

async function organizationsOf(person) {
  const request = await authorization(web);
  const tokens = await request.redeem(await person.comesBack(request.url));
  return (await accessClaims(server, tokens.access_token, 'demo-web')).organizations;
}

describe('An invitation', () => {
  test('leads somebody new from the letter to an account, the organization and the application', async () => {
    const email = uniqueEmail();
    await invite(email);
    const person = await browser.person();
    const page = await openLetter(person, email);
    assert.equal(await heading(page).innerText(), 'Join Contoso');
    assert.match(await page.locator('main').innerText(), /Mia Moreno invites .* as Analyst/);
    await page.getByLabel('Your name').fill('Nora New');
    await page.getByLabel('Password', { exact: true }).fill('password1');
    await page.getByLabel('Password again').fill('password1');
    await press(page, 'Make an account and join');
    assert.match(await page.getByRole('alert').innerText(), /most used/);
    await page.getByLabel('Password', { exact: true }).fill('A-Long-Passw0rd!');
    await page.getByLabel('Password again').fill('A-Long-Passw0rd!');
    await press(page, 'Make an account and join');
    await page.getByText('Welcome to Contoso').waitFor();
    const [membership] = await organizationsOf(person);
    assert.equal(membership.id, organizations.contoso);
    assert.equal(membership.title, 'Analyst');
    assert.deepEqual(membership.scopes, ['member']);
    await person.close();
  });

  test('asks somebody with an account for the password, once whoever else is signed in has signed out', async () => {
    const { email } = await newUser(server);
    await invite(email);
    const person = await browser.person();
    const request = await authorization(web);
    await person.signIn(request.url, 'zoe@example.test');
    const page = await openLetter(person, email);
    assert.match(await page.locator('main').innerText(), /signed in as zoe@example.test/);
    await press(page, 'Sign out and go on');
    await page.getByLabel('Password').fill(password);
    await press(page, 'Sign in and join');
    await page.getByText('Welcome to Contoso').waitFor();
    assert.deepEqual((await organizationsOf(person)).map((entry) => entry.id), [organizations.contoso]);
    await person.close();
  });

  test('asks whoever is signed in already only to say yes, and works once', async () => {
    const { email } = await newUser(server);
    await invite(email);
    const person = await browser.person();
    const request = await authorization(web);
    await person.signIn(request.url, email);
    const page = await openLetter(person, email);
    await press(page, 'Join Contoso');
    await page.getByText('Welcome to Contoso').waitFor();
    const stranger = await browser.person();
    await stranger.open(page.url());
    assert.equal(await heading(stranger.page).innerText(), 'This invitation was accepted');
    await stranger.close();
    await person.close();
  });
});

describe('A letter in the demo', () => {
  test('runs nothing and is shown to nobody but its own page', async () => {
    const email = uniqueEmail();
    await invite(email);
    const person = await browser.person();
    await openLetter(person, email);
    const frame = await person.page.locator('iframe').getAttribute('src');
    const answer = await fetch(server.url + frame);
    const policy = answer.headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'self'/);
    assert.match(policy, /sandbox allow-popups/);
    assert.doesNotMatch(policy, /allow-scripts/);
    assert.equal((await fetch(`${server.url}/demo/mail/mail_0000000000000000000000001`)).status, 404);
    assert.equal((await fetch(`${server.url}/demo/mail/..%2F..%2Fatrium.key`)).status, 404);
    await person.close();
  });
});
