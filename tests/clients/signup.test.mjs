// Signing up, a forgotten password and an address to be verified, as people see them: a real browser, the demo's mail, and openid-client as the application.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBrowser } from './browser.mjs';
import { newUser, password, uniqueEmail, workosFor } from './demo.mjs';
import { authorization, clientFor } from './oauth.mjs';
import { launch, startProcess } from './server.mjs';

const chosen = 'A-Long-Passw0rd!';

let server;
let browser;
let web;
before(async () => {
  server = await startProcess({ name: 'signup' });
  browser = await startBrowser(server);
  web = await clientFor(server, 'demo-web');
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const press = (page, name) => page.getByRole('button', { name }).click();
const heading = (page) => page.getByRole('heading', { level: 1 });

/** Reads the newest letter to this address in the demo's mail, in a browser of its own: its subject and its code. */
async function letterTo(email) {
  const reader = await browser.person();
  const line = reader.page.locator('.letters a', { hasText: email });
  for (let i = 0; i < 50; i++) {
    await reader.open(`${server.url}/demo/mail`);
    if (await line.count() > 0) break;
  }
  await line.first().click();
  const subject = await reader.page.getByRole('heading', { level: 2 }).innerText();
  const text = await reader.page.locator('article pre').innerText();
  await reader.close();
  return { subject, text, code: text.match(/^(\d{6}|[A-Z0-9]{4}-[A-Z0-9]{4})$/m)?.[1] };
}

async function arrive(person, request) {
  const tokens = await request.redeem(await person.arrival());
  return tokens.claims();
}

describe('Signing up', () => {
  test('prompt=create leads from the address over the code to the application', async () => {
    assert.ok(web.serverMetadata().prompt_values_supported.includes('create'));
    const email = uniqueEmail();
    const person = await browser.person();
    const request = await authorization(web, { prompt: 'create', login_hint: email });
    const { page } = person;
    await person.open(request.url.href);
    assert.equal(await heading(page).innerText(), 'Create an account');
    assert.equal(await page.getByLabel('E-mail').inputValue(), email);
    await press(page, 'Send me a code');
    assert.equal(await heading(page).innerText(), 'Look into your mail');
    const { code } = await letterTo(email);
    await page.getByLabel('Code').fill('BBBB-BBBB');
    await press(page, 'Continue');
    assert.match(await page.getByRole('alert').innerText(), /not right/);
    await page.getByLabel('Code').fill(code);
    await press(page, 'Continue');
    await page.getByLabel('Your name').fill('Nora New');
    await page.getByLabel('Password', { exact: true }).fill('password1');
    await page.getByLabel('Password again').fill('password1');
    await press(page, 'Create account');
    assert.match(await page.getByRole('alert').innerText(), /most used/);
    assert.equal(await page.getByLabel('Your name').inputValue(), 'Nora New');
    await page.getByLabel('Password', { exact: true }).fill(chosen);
    await page.getByLabel('Password again').fill(chosen);
    await press(page, 'Create account');
    const claims = await arrive(person, request);
    assert.equal(claims.email, email);
    assert.equal(claims.email_verified, true);
    assert.equal(claims.name, 'Nora New');
    await person.close();
  });

  test('the link on the sign-in page leads there and back; an address with an account is told by letter alone', async () => {
    const { email } = await newUser(server);
    const person = await browser.person();
    const request = await authorization(web);
    const { page } = person;
    await person.open(request.url.href);
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByLabel('E-mail').fill(email);
    await press(page, 'Send me a code');
    assert.equal(await heading(page).innerText(), 'Look into your mail');
    const letter = await letterTo(email);
    assert.equal(letter.subject, 'You have an account at Acme');
    assert.equal(letter.code, undefined);
    await page.goBack();
    await page.goForward();
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await press(page, 'Sign in');
    assert.equal((await arrive(person, request)).email, email);
    await person.close();
  });
});

describe('A forgotten password', () => {
  test('is replaced with a code from the mailbox, and the old one opens nothing any more', async () => {
    const { email } = await newUser(server);
    const person = await browser.person();
    const request = await authorization(web);
    const { page } = person;
    await person.open(request.url.href);
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await page.getByLabel('E-mail').fill(email);
    await press(page, 'Send me a code');
    const { code } = await letterTo(email);
    await page.getByLabel('Code').fill(code.toLowerCase());
    await press(page, 'Continue');
    await page.getByLabel('New password', { exact: true }).fill(chosen);
    await page.getByLabel('New password again').fill(chosen);
    await press(page, 'Set password');
    assert.equal((await arrive(person, request)).email, email);
    await person.close();
    assert.equal((await letterTo(email)).subject, 'Your password for Acme was changed');

    const other = await browser.person();
    const again = await authorization(web);
    await other.open(again.url.href);
    await other.page.getByLabel('E-mail').fill(email);
    await other.page.getByLabel('Password').fill(password);
    await press(other.page, 'Sign in');
    assert.match(await other.page.getByRole('alert').innerText(), /don’t match/);
    await other.page.getByLabel('Password').fill(chosen);
    await press(other.page, 'Sign in');
    assert.equal((await arrive(other, again)).email, email);
    await other.close();
  });
});

/** Changes the demo realm's settings, as an operator on the machine does. */
async function changeSettings(settings) {
  const made = launch(['keys', 'create', '--operator', '--database', `Data Source=${server.folder}/atrium.db`], { name: 'signup-key', cwd: server.folder });
  assert.equal((await made.exited).code, 0, made.tail());
  const [key] = made.output().match(/\bok_[\w-]+/) ?? [];
  const answer = await fetch(`${server.url}/v1/realms/acme`, {
    method: 'PATCH',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ settings }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

describe('An address to be verified', () => {
  test('a realm that asks for it has a page for the code behind the password', async () => {
    await changeSettings({ email_verification_required: true });
    const email = uniqueEmail();
    await workosFor(server).userManagement.createUser({ email, password, emailVerified: false });
    const person = await browser.person();
    const request = await authorization(web);
    const { page } = person;
    await person.open(request.url.href);
    await person.enterPassword(email);
    await page.getByRole('heading', { name: 'Verify your e-mail' }).waitFor();
    const { code } = await letterTo(email);
    await page.getByLabel('Code').fill(code);
    await press(page, 'Continue');
    const claims = await arrive(person, request);
    assert.equal(claims.email, email);
    assert.equal(claims.email_verified, true);
    await person.close();
  });
});
