// App-native sign-in: what is refused, and how, with the unmodified @asgardeo/javascript.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { executeEmbeddedSignInFlow, initializeEmbeddedSignInFlow } from '@asgardeo/javascript';
import { application, authenticators, organizationBase, refusal, rootOf } from './asgardeo.mjs';
import { nativeCallback, organizationIds, password, people, unknownOrganization } from './demo.mjs';
import { startServer } from './server.mjs';

let server;
let organizations;
before(async () => {
  server = await startServer({ name: 'app-native.refusals' });
  organizations = await organizationIds(server);
});
after(() => server?.stop());

const start = (payload, base = rootOf(server)) => initializeEmbeddedSignInFlow({
  baseUrl: base,
  payload: {
    client_id: 'demo-native', response_type: 'code', response_mode: 'direct', redirect_uri: nativeCallback, scope: 'openid', ...payload,
  },
});
const answer = (payload, base = rootOf(server)) => executeEmbeddedSignInFlow({ baseUrl: base, payload });
const withPassword = (flow, params) =>
  answer({ flowId: flow.flowId, selectedAuthenticator: { authenticatorId: authenticators.basic, params } });

describe('Starting a flow', () => {
  test('an unknown organization, one that is not shared and one that is suspended get one answer', async () => {
    const answers = [];
    for (const organization of [unknownOrganization, organizations.fabrikam, organizations.tailspin]) {
      const { status, code, message, description } = await refusal(start({}, organizationBase(server, organization)));
      answers.push({ status, code, message, description: description.replaceAll(organization, '…') });
    }
    assert.deepEqual([answers[0].status, answers[0].code], [400, 'ABA-60002']);
    assert.deepEqual(answers[1], answers[0]);
    assert.deepEqual(answers[2], answers[0]);
  });

  test('an application without app-native sign-in is refused', async () => {
    const { status, code } = await refusal(start({ client_id: 'demo-native-off' }));
    assert.deepEqual([status, code], [400, 'ABA-60007']);
  });

  test('an unknown application is refused', async () => {
    const { status, code } = await refusal(start({ client_id: 'nobody' }));
    assert.ok((status === 400 && code === 'ABA-60005') || (status === 401 && code === '401'), `${status} ${code}`);
  });

  const requests = {
    'another response type': { response_type: 'token' },
    'an unregistered redirect address': { redirect_uri: 'http://localhost:3000/elsewhere' },
    'no redirect address': { redirect_uri: null },
    'a plain challenge': { code_challenge: 'x'.repeat(43), code_challenge_method: 'plain' },
  };
  for (const [what, payload] of Object.entries(requests)) {
    test(`${what} is an invalid request`, async () => {
      const { status, code } = await refusal(start(payload));
      assert.deepEqual([status, code], [400, 'ABA-60001']);
    });
  }

  test('an answer without a session for prompt=none is no success', async () => {
    const { status, code } = await refusal(start({ prompt: 'none' }));
    assert.equal(status, 400);
    assert.ok(['ABA-60001', 'ABA-60002'].includes(code), code);
  });
});

describe('Going on with a flow', () => {
  test('a wrong password is a failed try, and the right one still works', async () => {
    const flow = await start({}, organizationBase(server, organizations.northwind));
    const failed = await withPassword(flow, { username: people.mia, password: 'Wrong-Passw0rd!' });
    assert.equal(failed.flowStatus, 'FAIL_INCOMPLETE');
    assert.equal(failed.flowId, flow.flowId);
    assert.deepEqual(failed.nextStep.authenticators, flow.nextStep.authenticators);
    assert.deepEqual(failed.links, flow.links);
    const [message] = failed.nextStep.messages;
    assert.deepEqual([message.type, message.messageId, message.message, message.i18nKey],
      ['ERROR', 'ABA-60003', 'login.fail.message', 'message.ABA-60003']);
    const completed = await withPassword(failed, { username: people.mia, password });
    assert.equal(completed.flowStatus, 'SUCCESS_COMPLETED');
  });

  test('a person who is not in the organization looks like a wrong password', async () => {
    const flow = await start({}, organizationBase(server, organizations.contoso));
    const outsider = await withPassword(flow, { username: people.sam, password });
    const unknown = await withPassword(flow, { username: 'nobody@example.test', password });
    assert.equal(outsider.flowStatus, 'FAIL_INCOMPLETE');
    assert.deepEqual(outsider, unknown);
  });

  test('a person of another realm is unknown', async () => {
    const flow = await start({});
    assert.equal((await withPassword(flow, { username: 'kim@example.test', password })).flowStatus, 'FAIL_INCOMPLETE');
  });

  test('a finished flow is over, and its code is worth tokens once', async () => {
    const app = await application(server, { base: organizationBase(server, organizations.northwind) });
    const flow = await app.start();
    const completed = await app.answer(flow, authenticators.basic, { username: people.sam, password });
    await app.tokens(completed);
    const { status, code } = await refusal(app.answer(flow, authenticators.basic, { username: people.sam, password }));
    assert.deepEqual([status, code], [400, 'ABA-60009']);
    const replay = await fetch(`${app.base}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code', client_id: 'demo-native', code: completed.authData.code, redirect_uri: nativeCallback,
      }),
    });
    assert.equal(replay.status, 400);
    assert.equal((await replay.json()).error, 'invalid_grant');
  });

  test('of ten right answers at once exactly one ends the flow', async () => {
    const flow = await start({}, organizationBase(server, organizations.northwind));
    const results = await Promise.allSettled(Array.from({ length: 10 }, () =>
      withPassword(flow, { username: people.sam, password })));
    const completed = results.filter((result) => result.value?.flowStatus === 'SUCCESS_COMPLETED');
    assert.equal(completed.length, 1);
    for (const { reason } of results.filter((result) => result.status === 'rejected')) assert.equal(reason.statusCode, 400);
  });

  test('a challenge that was sent is checked', async () => {
    const flow = await start({ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' });
    const { authData } = await withPassword(flow, { username: people.zoe, password });
    const answered = await fetch(`${rootOf(server)}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code', client_id: 'demo-native', code: authData.code, redirect_uri: nativeCallback,
      }),
    });
    assert.equal(answered.status, 400);
    assert.equal((await answered.json()).error, 'invalid_grant');
  });

  test('a person without the factor that the application demands is refused for good', async () => {
    const flow = await start({ client_id: 'demo-native-mfa' }, organizationBase(server, organizations.northwind));
    const { status, code } = await refusal(withPassword(flow, { username: people.mia, password }));
    assert.deepEqual([status, code], [400, 'ABA-60002']);
    const after = await refusal(withPassword(flow, { username: people.mia, password }));
    assert.equal(after.code, 'ABA-60009');
  });

  const broken = {
    'an unknown flow': ['ABA-60009', () => ({ flowId: '11111111-1111-4111-8111-111111111111' })],
    'an authenticator that cannot be decoded': ['ABA-60004', (flow) => ({ flowId: flow.flowId, id: '%%%' })],
    'an authenticator that is not offered': ['ABA-60012', (flow) => ({ flowId: flow.flowId, id: authenticators.totp })],
    'no flow at all': ['ABA-60001', () => ({ flowId: undefined })],
  };
  for (const [what, [expected, make]] of Object.entries(broken)) {
    test(`${what} is refused with ${expected}, and the flow can go on`, async () => {
      const flow = await start({});
      const { flowId, id = authenticators.basic } = make(flow);
      const { status, code } = await refusal(answer({
        flowId, selectedAuthenticator: { authenticatorId: id, params: { username: people.zoe, password } },
      }));
      assert.deepEqual([status, code], [400, expected]);
      assert.equal((await withPassword(flow, { username: people.zoe, password })).flowStatus, 'SUCCESS_COMPLETED');
    });
  }
});
