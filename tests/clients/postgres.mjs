// A PostgreSQL of this process's own, from Debian's binaries: in a temporary folder, on a free loopback port, until this process ends.
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './server.mjs';

const run = promisify(execFile);
const user = 'atrium';
const password = 'only-on-loopback';

/** It lives as long as the shell's standard input: it is stopped and its folder removed however this process ends. */
const script = `
bin="$1" port="$2"
folder="$(mktemp -d /tmp/atrium-postgres-XXXXXX)" || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
printf '%s\\n' "$4" >password
"$bin/initdb" --pgdata=data --username="$3" --pwfile=password --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >&2 || exit 1
"$bin/postgres" -D data -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= >&2 </dev/null &
server=$!
trap '' INT TERM HUP
cat >/dev/null
kill -INT $server 2>/dev/null
wait $server
`;

let started;
let databases = 0;

/** The connection string of an empty database that nobody else uses. */
export async function newDatabase() {
  started ??= start();
  const { bin, port } = await started;
  const name = `atrium_${++databases}`;
  await run(`${bin}/createdb`, ['-h', '127.0.0.1', '-p', String(port), '-U', user, name], { env: { PGPASSWORD: password } });
  return `Host=127.0.0.1;Port=${port};Database=${name};Username=${user};Password=${password}`;
}

async function start() {
  const bin = binaries();
  const port = await freePort();
  const command = ['bash', '-c', script, 'bash', bin, String(port), user, password];
  // PostgreSQL refuses to run as root; Debian's package brings a user for it.
  if (process.getuid() === 0) command.unshift('runuser', '-u', 'postgres', '--');
  const shell = spawn(command[0], command.slice(1), { stdio: ['pipe', 'ignore', 'pipe'] });
  let log = '';
  let ended = false;
  shell.stderr.on('data', (bytes) => { log = (log + bytes).slice(-20_000); });
  shell.once('close', () => { ended = true; });
  // Nothing of it keeps this process alive.
  shell.unref();
  shell.stdin.unref();
  shell.stderr.unref();
  for (const deadline = Date.now() + 60_000; ;) {
    const ready = await run(`${bin}/pg_isready`, ['-h', '127.0.0.1', '-p', String(port)]).then(() => true, () => false);
    if (ready) return { bin, port };
    if (ended || Date.now() > deadline) throw new Error(`PostgreSQL did not start:\n${log}`);
    await delay(50);
  }
}

/** Those of the newest server on this machine that Atrium supports. */
function binaries() {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).filter((name) => Number(name) >= 15 && existsSync(`${root}/${name}/bin/initdb`)) : [];
  if (versions.length === 0) throw new Error(`There is no PostgreSQL 15 or later in ${root}. Run ./test, which installs it, or: apt-get install postgresql`);
  return `${root}/${Math.max(...versions.map(Number))}/bin`;
}
