// What Atrium sends, verified by the libraries that receivers use.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { apiKey, newUser, unique } from './demo.mjs';
import { startServer } from './server.mjs';
import { sdks } from './workos.mjs';

describe('Webhooks', () => {
  let server;
  let receiver;
  let arrived;

  before(async () => { server = await startServer({ name: 'webhooks' }); });
  after(() => server.stop());
  beforeEach(async () => { ({ receiver, arrived } = await listen()); });
  afterEach(() => receiver.close());

  const api = async (method, path, body) => {
    const response = await fetch(`${server.url}/v1/realms/acme${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
    return (await response.json()).data;
  };
  const endpoint = (dialect, events) =>
    api('POST', '/webhooks', { name: dialect, url: `http://127.0.0.1:${receiver.address().port}/`, dialect, events });
  const somethingHappens = () => api('POST', '/api-keys', { name: unique('key'), scopes: ['events:read'] });

  for (const dialect of ['standard', 'cloudevents']) {
    test(`standardwebhooks verifies the dialect ${dialect}, before, during and after a rotation`, async () => {
      const { id, secret } = await endpoint(dialect, ['api_key.created']);
      const key = await somethingHappens();
      const first = await arrived();
      const body = new Webhook(secret).verify(first.body, first.headers);
      assert.equal(body.type, 'api_key.created');
      assert.equal(body.id, first.headers['webhook-id']);
      assert.equal(body.data.id, key.id);
      assert.throws(() => new Webhook(secret).verify(first.body.replace(key.id, 'key_0'), first.headers));

      const { secret: fresh } = await api('POST', `/webhooks/${id}/rotate-secret`);
      await somethingHappens();
      const during = await arrived();
      new Webhook(secret).verify(during.body, during.headers);
      new Webhook(fresh).verify(during.body, during.headers);

      const { secret: last } = await api('POST', `/webhooks/${id}/rotate-secret`, { overlap_seconds: 0 });
      await somethingHappens();
      const afterwards = await arrived();
      new Webhook(last).verify(afterwards.body, afterwards.headers);
      assert.throws(() => new Webhook(secret).verify(afterwards.body, afterwards.headers));
      assert.throws(() => new Webhook(fresh).verify(afterwards.body, afterwards.headers));
    });
  }

  for (const { name, WorkOS } of sdks) {
    test(`${name} verifies the dialect authkit and reads its events`, async () => {
      const { secret } = await endpoint('authkit', ['user.created']);
      const user = await newUser(server);
      const { headers, body } = await arrived();
      const workos = new WorkOS('sk_unused', { clientId: 'client_unused' });
      const sigHeader = headers['workos-signature'];
      const event = await workos.webhooks.constructEvent({ payload: JSON.parse(body), sigHeader, secret });
      assert.equal(event.event, 'user.created');
      assert.equal(event.data.id, user.id);
      assert.equal(event.data.email, user.email);
      assert.equal(event.data.emailVerified, true);
      await assert.rejects(workos.webhooks.constructEvent({ payload: JSON.parse(body), sigHeader, secret: 'whsec_other' }));
    });
  }
});

/** A receiver that takes everything; `arrived` waits for the next message. */
async function listen() {
  const messages = [];
  const waiting = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes) => { body += bytes; });
    request.on('end', () => {
      response.writeHead(204).end();
      const message = { headers: request.headers, body };
      const next = waiting.shift();
      if (next) next(message);
      else messages.push(message);
    });
  });
  await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  return {
    receiver,
    arrived: () => messages.length > 0 ? Promise.resolve(messages.shift()) : new Promise((resolve, reject) => {
      waiting.push(resolve);
      setTimeout(() => reject(new Error('no message came')), 20_000).unref();
    }),
  };
}
