// Runs the programs of the guides as they stand there, but for the port.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startServer } from './server.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const guides = ['integrate.md', 'webhooks.md'].map((name) => readFileSync(path.join(here, '../../docs', name), 'utf8')).join('\n');
const programs = [...guides.matchAll(/```js\n(\/\/ (\S+\.mjs)\n[\s\S]*?)```/g)].map(([, text, name]) => ({ name, text }));

const expected = {
  'authkit.mjs': /choose one of Northwind, Contoso\nsigned in to org_\w{25} as mia@example\.test/,
  'app-native.mjs': /SUCCESS_COMPLETED\n.*access_token/,
  'receiver.mjs': /an endpoint wh_\w{25}\napi_key\.created key_\w{25}\ndelivered: 204/,
  'dpop.mjs': /a token of the type dpop for my key\nintrospection says DPoP true/i,
  'key.mjs': /a token for 1800 seconds/,
  'oidc.mjs': /send the browser to http:\/\/localhost:\d+\/t\/acme\/authorize\?/,
};

describe('The programs of the guides', () => {
  let server;
  let folder;
  before(async () => {
    server = await startServer({ name: 'docs' });
    folder = mkdtempSync(path.join(here, 'docs-')); // beside node_modules, where its imports are found
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await server.stop();
  });

  test('are those that are expected', () => {
    assert.deepEqual(programs.map(({ name }) => name).sort(), Object.keys(expected).sort());
  });

  for (const { name, text } of programs) {
    test(`${name} does what it says`, async () => {
      const file = path.join(folder, name);
      writeFileSync(file, text.replaceAll('5099', new URL(server.url).port));
      const { code, output } = await run(file);
      assert.equal(code, 0, output);
      assert.match(output, expected[name]);
    });
  }
});

function run(file) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { output += bytes; });
    child.once('close', (code) => resolve({ code, output }));
  });
}
