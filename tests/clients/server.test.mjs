// The process itself: how it starts, what it keeps, how it stops.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { password, people, uniqueEmail, workosFor } from './demo.mjs';
import { freePort, launch, startServer } from './server.mjs';

let folder;
before(() => { folder = mkdtempSync(path.join(tmpdir(), 'atrium-process-')); });
after(() => rmSync(folder, { recursive: true, force: true }));

describe('The server process', () => {
  test('is alive and ready, leads to the walks, and tells each request its id', async () => {
    const server = await startServer({ name: 'server' });
    try {
      const ids = new Set();
      for (const page of ['/health/live', '/health/ready', '/']) {
        const answer = await fetch(server.url + page);
        assert.equal(answer.status, 200, page);
        ids.add(answer.headers.get('x-request-id'));
      }
      assert.equal(ids.size, 3);
      assert.ok(!ids.has(null));
    } finally {
      await server.stop();
    }
  });

  test('prints what to try next, and no secret into its log afterwards', async () => {
    const server = await startServer({ name: 'server' });
    try {
      for (const word of [server.url, people.mia, 'demo-web', 'sk_demo_atrium', '/t/acme']) {
        assert.ok(server.log().includes(word), `${word} is not in what it prints`);
      }
      const printed = server.log().length;
      const answer = await workosFor(server).userManagement.authenticateWithPassword({ email: people.sam, password });
      const said = server.log().slice(printed);
      for (const secret of [password, answer.accessToken, answer.refreshToken, 'sk_demo_atrium']) {
        assert.ok(!said.includes(secret), 'a secret is in the log');
      }
    } finally {
      await server.stop();
    }
  });

  test('keeps people, sessions and keys over a restart', async () => {
    const port = await freePort();
    let server = await startServer({ name: 'server', folder, port });
    let users = workosFor(server).userManagement;
    const email = uniqueEmail();
    let before;
    try {
      await users.createUser({ email, password, emailVerified: true });
      before = await users.authenticateWithPassword({ email, password });
    } finally {
      await server.stop();
    }
    server = await startServer({ name: 'server', folder, port });
    try {
      users = workosFor(server).userManagement;
      assert.equal((await users.listUsers({ email })).data.length, 1);
      await jwtVerify(before.accessToken, createRemoteJWKSet(new URL(users.getJwksUrl('demo-authkit'))));
      const refreshed = await users.authenticateWithRefreshToken({ refreshToken: before.refreshToken });
      assert.equal(decodeJwt(refreshed.accessToken).sid, decodeJwt(before.accessToken).sid);
    } finally {
      await server.stop();
    }
    assert.ok(readdirSync(folder).includes('atrium.db'));
  });

  test('refuses to show the demo to other machines', async () => {
    const port = await freePort();
    const attempt = launch([
      'demo', '--urls', `http://0.0.0.0:${port}`, '--database', `Data Source=${path.join(folder, 'open.db')}`,
    ], { name: 'server' });
    const timer = setTimeout(() => attempt.child.kill('SIGKILL'), 20_000);
    const { code, signal } = await attempt.exited;
    clearTimeout(timer);
    assert.equal(signal, null, 'it did not end by itself');
    assert.notEqual(code, 0);
    assert.match(attempt.output(), /loopback/i);
  });

  test('lets a request in flight finish when it is told to stop', async () => {
    const server = await startServer({ name: 'server' });
    const body = 'grant_type=client_credentials&client_id=demo-m2m&client_secret=demo-m2m-secret';
    const half = Math.floor(body.length / 2);
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    let answer = '';
    socket.on('data', (bytes) => { answer += bytes; });
    const closed = new Promise((resolve) => { socket.once('close', resolve); });
    socket.write(`POST /t/acme/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`
      + `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, half)}`);
    await delay(300);
    const stopped = server.stop();
    await delay(4000); // longer than any impatience but the server's own ten seconds
    socket.write(body.slice(half));
    await closed;
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.match(answer, /access_token/);
    await stopped;
  });

  test('starts empty, says how to make the first realm, and the commands it prints work', async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'atrium-empty-'));
    const port = await freePort();
    const server = launch(['--urls', `http://127.0.0.1:${port}`, '--database', `Data Source=${path.join(home, 'own.db')}`], { name: 'server', cwd: home });
    try {
      for (let i = 0; i < 200 && !server.output().includes('clients create'); i += 1) await delay(100);
      const commands = server.output().split('\n').map((line) => line.trim()).filter((line) => line.startsWith('dotnet '));
      assert.equal(commands.length, 3, server.output());
      for (const command of commands) {
        const shell = spawnSync('bash', ['-c', command], { cwd: tmpdir(), encoding: 'utf8' });
        assert.equal(shell.status, 0, `${command}\n${shell.stdout}${shell.stderr}`);
      }
      const discovery = await fetch(`http://127.0.0.1:${port}/t/acme/.well-known/openid-configuration`);
      assert.equal(discovery.status, 200);
    } finally {
      server.child.kill('SIGTERM');
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      rmSync(home, { recursive: true, force: true });
    }
  });
});
