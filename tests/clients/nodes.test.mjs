// Every door's flows once more, with two nodes that take turns at every request; and what one changes, both know.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startNodes } from './nodes.mjs';
import { launch } from './server.mjs';

process.env.ATRIUM_TEST_NODES = '2';
await import('./oauth.signin.test.mjs');
await import('./authkit.session.test.mjs');
await import('./app-native.signin.test.mjs');

describe('Two nodes', () => {
  let server;
  before(async () => { server = await startNodes({ name: 'nodes' }); });
  after(() => server?.stop());

  test('know at once that a client was disabled by a verb of the command line', async () => {
    assert.deepEqual(await errors(10), [undefined]);
    await verb('disable');
    await until(['invalid_client']);
    await verb('enable');
    await until([undefined]);
  });

  async function verb(name) {
    const done = launch(['clients', name, 'demo-m2m', '--realm', 'acme', ...server.databaseArgs], { name: 'nodes' });
    assert.equal((await done.exited).code, 0, done.tail());
  }

  /** The nodes remember a client for 30 s, so that what they know earlier they were told. */
  async function until(expected) {
    for (const deadline = Date.now() + 10_000; ;) {
      const told = await errors(2);
      if (JSON.stringify(told) === JSON.stringify(expected)) break;
      assert.ok(Date.now() < deadline, `the nodes answer ${told}`);
      await delay(20);
    }
    assert.deepEqual(await errors(4), expected);
  }

  /** The different answers to that many requests of the client; undefined where it got a token. */
  async function errors(times) {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'demo-m2m', client_secret: 'demo-m2m-secret' });
    const answers = new Set();
    for (let i = 0; i < times; i += 1) {
      const answer = await fetch(`${server.url}/t/acme/token`, { method: 'POST', body });
      answers.add((await answer.json()).error);
    }
    return [...answers];
  }
});
