// Starts the real server as a process, with a database of its own, on a free loopback port.
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const assembly = process.env.ATRIUM_SERVER_DLL
  ?? path.join(repository, 'src/Atrium.Server/bin/Debug/net10.0/Atrium.Server.dll');
const logs = path.join(repository, 'artifacts/clients');

const readyWithin = 60_000;
const stopsWithin = 15_000; // the server promises 10 s for what is in flight

/** A port that nobody listened on a moment ago. */
export async function freePort() {
  const probe = createServer();
  await new Promise((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Runs `Atrium.Server.dll` with these arguments; keeps the end of its log in memory and all of it in artifacts/clients. */
export function launch(args, { name = 'server', cwd = tmpdir() } = {}) {
  if (!existsSync(assembly)) throw new Error(`${assembly} is not there: run \`dotnet build Atrium.slnx\` first`);
  mkdirSync(logs, { recursive: true });
  const logFile = createWriteStream(path.join(logs, `${name}.log`), { flags: 'a' });
  const child = spawn('dotnet', [assembly, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DOTNET_NOLOGO: '1', DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_TieredPGO: '0' }, // it lives for a minute
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => {
      logFile.write(bytes);
      output = (output + bytes).slice(-100_000);
    });
  }
  const exited = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  exited.then(() => logFile.end());
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  exited.then(() => process.off('exit', killWithUs));
  return {
    child,
    exited,
    /** Everything it printed so far (the last 100 kB). */
    output: () => output,
    tail: (lines = 60) => output.split('\n').slice(-lines).join('\n'),
  };
}

/**
 * A running demo realm; with ATRIUM_TEST_NODES=2, served by two nodes that take turns (see nodes.mjs). `folder` keeps the database
 * between two starts; without it the database lives as long as the server.
 * @param {{ name?: string, folder?: string, port?: number }} options
 */
export async function startServer(options = {}) {
  return process.env.ATRIUM_TEST_NODES === '2' ? (await import('./nodes.mjs')).startNodes(options) : startProcess(options);
}

/**
 * One process of a demo realm. `publicUrl` is its own address and `database` a file in its folder unless they say otherwise.
 * @param {{ name?: string, folder?: string, port?: number, publicUrl?: string, database?: string, args?: string[] }} options
 */
export async function startProcess({ name, folder, port, publicUrl, database, args = [] } = {}) {
  const ownFolder = folder === undefined;
  const home = folder ?? mkdtempSync(path.join(tmpdir(), 'atrium-clients-'));
  const listenOn = port ?? await freePort();
  const url = `http://localhost:${listenOn}`;
  const process_ = launch([
    'demo',
    '--urls', `http://127.0.0.1:${listenOn}`,
    '--public-url', publicUrl ?? url,
    '--database', database ?? `Data Source=${path.join(home, 'atrium.db')}`,
    ...args,
  ], { name, cwd: home });

  let end;
  process_.exited.then((result) => { end = result; });
  const deadline = Date.now() + readyWithin;
  for (;;) {
    if (end) throw new Error(`the server ended before it was ready (${describeEnd(end)})\n${process_.tail()}`);
    if (Date.now() > deadline) {
      process_.child.kill('SIGKILL');
      throw new Error(`the server was not ready within ${readyWithin / 1000} s\n${process_.tail()}`);
    }
    const ready = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (ready?.ok) break;
    await delay(100);
  }

  return {
    url,
    port: listenOn,
    folder: home,
    log: process_.output,
    /** SIGTERM, then waits; throws with the end of the log when the server did not go in good order. */
    async stop() {
      const endedEarly = end;
      if (!endedEarly) process_.child.kill('SIGTERM');
      const result = endedEarly
        ?? await Promise.race([process_.exited, delay(stopsWithin, 'late', { ref: false })]);
      if (result === 'late') process_.child.kill('SIGKILL');
      if (ownFolder) rmSync(home, { recursive: true, force: true });
      if (endedEarly) throw new Error(`the server had ended by itself (${describeEnd(endedEarly)})\n${process_.tail()}`);
      if (result === 'late') throw new Error(`the server did not stop within ${stopsWithin / 1000} s\n${process_.tail()}`);
      if (result.code !== 0) throw new Error(`the server did not stop cleanly (${describeEnd(result)})\n${process_.tail()}`);
    },
  };
}

function describeEnd({ code, signal, error }) {
  return error ? error.message : signal ? `signal ${signal}` : `exit code ${code}`;
}
