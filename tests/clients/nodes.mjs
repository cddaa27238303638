// Two nodes on one PostgreSQL behind Debian's haproxy, which gives every request to the other node than the one before.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { newDatabase } from './postgres.mjs';
import { freePort, startProcess } from './server.mjs';

const haproxy = '/usr/sbin/haproxy';

/** What the clients in this process have asked for, by port. Each request has a connection of its own: a TCP balancer divides connections. */
const asked = new Map();
const plainFetch = globalThis.fetch;
globalThis.fetch = (resource, init) => {
  const request = new Request(resource, init);
  request.headers.set('connection', 'close');
  const { port } = new URL(request.url);
  asked.set(port, (asked.get(port) ?? 0) + 1);
  return plainFetch(request);
};

/**
 * Two nodes with one public URL: that of a balancer that passes TCP on, or with `tls` that of a proxy that ends TLS and tells the nodes
 * who is there. A browser keeps its connections, so it is led to a proxy that divides their requests.
 * @param {{ name?: string, tls?: boolean, args?: string[] }} options
 */
export async function startNodes({ name = 'nodes', tls = false, args = [] } = {}) {
  const home = mkdtempSync(path.join(tmpdir(), 'atrium-nodes-'));
  const keyFile = path.join(home, 'atrium.key');
  const [port, browserPort, ...ports] = await Promise.all(Array.from({ length: 4 }, freePort));
  const url = `${tls ? 'https' : 'http'}://localhost:${port}`;
  const nodes = [];
  let database;
  let balancer;
  const stop = async () => {
    balancer?.kill('SIGKILL');
    const stopped = await Promise.allSettled(nodes.map((node) => node.stop()));
    rmSync(home, { recursive: true, force: true });
    const failed = stopped.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
  };
  try {
    database = await newDatabase();
    for (const [index, nodePort] of ports.entries()) {
      nodes.push(await startProcess({
        name: `${name}.node${index + 1}`, folder: home, port: nodePort, publicUrl: url, database,
        args: ['--key-file', keyFile, ...args],
      }));
    }
    balancer = await startBalancer(home, configuration({ home, port, browserPort, ports, tls }), tls);
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }

  return {
    url,
    port,
    /** Where a browser that asks for the public URL is led to. */
    browserPort: tls ? port : browserPort,
    nodes,
    /** What a verb of the command line needs to work on the same database. */
    databaseArgs: ['--database', database, '--key-file', keyFile],
    log: () => nodes.map((node) => node.log()).join(''),
    /** How many requests each node was given. */
    shares: () => sharesOf(home),
    async stop() {
      const shares = await sharesOf(home).catch((error) => error);
      await stop();
      if (shares instanceof Error) throw shares;
      const all = shares[0] + shares[1];
      assert.ok(all >= (asked.get(String(port)) ?? 0), `${all} connections for ${asked.get(String(port))} requests: some shared one`);
      assert.ok(all >= 10 && Math.abs(shares[0] - shares[1]) <= 4, `the nodes did not take turns: ${shares.join(' and ')} requests`);
    },
  };
}

const configuration = ({ home, port, browserPort, ports: [one, two], tls }) => `
global
  stats socket ${home}/haproxy.sock
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  balance roundrobin
${tls ? '' : `
frontend clients
  mode tcp
  bind 127.0.0.1:${port}
  default_backend by_connection
backend by_connection
  mode tcp
  server one 127.0.0.1:${one}
  server two 127.0.0.1:${two}
`}
frontend browsers
  mode http
  ${tls ? `bind 127.0.0.1:${port} ssl crt ${home}/proxy.pem alpn h2,http/1.1
  option forwardfor
  http-request set-header X-Forwarded-Proto https` : `bind 127.0.0.1:${browserPort}`}
  default_backend by_request
backend by_request
  mode http
  option http-server-close
  server one 127.0.0.1:${one}
  server two 127.0.0.1:${two}
`;

async function startBalancer(home, config, tls) {
  if (tls) {
    execFileSync('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
      '-addext', 'subjectAltName=DNS:localhost', '-keyout', `${home}/key.pem`, '-out', `${home}/certificate.pem`,
    ], { stdio: 'pipe' });
    writeFileSync(`${home}/proxy.pem`, readFileSync(`${home}/certificate.pem`, 'utf8') + readFileSync(`${home}/key.pem`, 'utf8'));
  }
  writeFileSync(`${home}/haproxy.cfg`, config);
  const child = spawn(haproxy, ['-db', '-f', `${home}/haproxy.cfg`], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let ended = false;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { output += bytes; });
  child.once('error', (error) => { output += `${error.message}. Run ./test, which installs it, or: apt-get install haproxy`; ended = true; });
  child.once('close', () => { ended = true; });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('close', () => process.off('exit', killWithUs));
  for (const deadline = Date.now() + 10_000; ;) {
    if (await sharesOf(home).then(() => true, () => false)) return child;
    if (ended || Date.now() > deadline) throw new Error(`haproxy did not start:\n${output}`);
    await delay(50);
  }
}

/** haproxy's own count of the sessions of both nodes. */
async function sharesOf(home) {
  const socket = connect(`${home}/haproxy.sock`);
  let text = '';
  socket.on('data', (bytes) => { text += bytes; });
  await new Promise((resolve, reject) => {
    socket.once('error', reject).once('close', resolve).end('show stat\n');
  });
  const [head, ...rows] = text.trim().split('\n').map((line) => line.split(','));
  const total = head.indexOf('stot');
  return ['one', 'two'].map((server) => rows.filter((row) => row[1] === server).reduce((sum, row) => sum + Number(row[total]), 0));
}
