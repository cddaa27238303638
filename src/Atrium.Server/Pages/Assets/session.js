// Answers an application's page that asks whether the session is still the one it signed in with (OpenID Connect Session Management 1.0 section 3.2).
'use strict';

const name = document.documentElement.dataset.cookie;

function browserState() {
  const found = document.cookie.split('; ').find((cookie) => cookie.startsWith(`${name}=`));
  return found ? found.slice(name.length + 1) : '';
}

async function answer(message, origin) {
  const asked = /^([^ ]+) ([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/.exec(message);
  if (!asked || !globalThis.crypto?.subtle) return 'error';
  const [, client, hash, salt] = asked;
  const text = new TextEncoder().encode(`${client} ${origin} ${browserState()} ${salt}`);
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', text));
  const now = btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  return now === hash ? 'unchanged' : 'changed';
}

addEventListener('message', async ({ data, origin, source }) => {
  // A frame without an origin of its own could not be answered alone.
  if (typeof data !== 'string' || data.length > 1000 || !source || origin === 'null') return;
  source.postMessage(await answer(data, origin), origin);
});
