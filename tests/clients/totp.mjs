// Time-based one-time passwords (RFC 6238): SHA-1, 30 seconds, 6 digits.
import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

const period = 30;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The time step that the given moment (milliseconds) lies in. */
export const stepAt = (now = Date.now()) => Math.floor(now / 1000 / period);

/** The code of one time step for a base32 secret. */
export function totp(secret, step = stepAt()) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', fromBase32(secret)).update(counter).digest();
  const offset = digest.at(-1) & 0x0f;
  const number = (digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000;
  return String(number).padStart(6, '0');
}

const lastUsed = new Map();

/**
 * A code that this process has not used before and that stays valid for some seconds: a server that accepts each code once
 * (RFC 6238, 5.2) accepts it. Waits for the next time step when it must.
 */
export async function freshTotp(secret) {
  const seconds = (Date.now() / 1000) % period;
  if (stepAt() <= (lastUsed.get(secret) ?? 0) || seconds > period - 3) await delay((period - seconds) * 1000 + 50);
  lastUsed.set(secret, stepAt());
  return totp(secret);
}

/** Six digits that are not the code of any step near now. */
export function wrongTotp(secret) {
  const near = new Set([-3, -2, -1, 0, 1, 2, 3].map((offset) => totp(secret, stepAt() + offset)));
  for (let number = 0; ; number++) {
    const code = String(number).padStart(6, '0');
    if (!near.has(code)) return code;
  }
}

function fromBase32(text) {
  let bits = '';
  for (const letter of text.replace(/=+$/, '').toUpperCase()) bits += alphabet.indexOf(letter).toString(2).padStart(5, '0');
  return Buffer.from(bits.match(/.{8}/g).map((octet) => parseInt(octet, 2)));
}
