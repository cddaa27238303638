// The API's own documents, by the official meta-schema of OpenAPI 3.1 and by a JSON Schema validator that is not ours.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import { startServer } from './server.mjs';

let server;
before(async () => { server = await startServer({ name: 'openapi' }); });
after(() => server.stop());

const documents = ['/v1/openapi.json', '/v1/openapi-operator.json'];
const read = async (path) => (await fetch(server.url + path)).json();

for (const path of documents) {
  test(`${path} is OpenAPI 3.1`, async () => {
    const result = await new Validator().validate(await read(path));
    assert.ok(result.valid, JSON.stringify(result.errors, null, 2));
  });

  test(`${path} has schemas that a strict validator takes`, async () => {
    const document = await read(path);
    const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, formats: { int64: true }, keywords: ['components'] });
    ajv.addSchema({ $id: 'https://atrium.test/', components: document.components }, undefined, false, false);
    let compiled = 0;
    const visit = (node) => {
      if (!node || typeof node !== 'object') return;
      if (node.schema) {
        const schema = JSON.parse(JSON.stringify(node.schema).replaceAll('"#/', '"https://atrium.test/#/'));
        ajv.compile(schema);
        compiled += 1;
      }
      Object.values(node).forEach(visit);
    };
    visit(document);
    assert.ok(compiled > 10, `${compiled} schemas`);
  });
}

test('what the API answers is what its document says', async () => {
  const document = await read('/v1/openapi.json');
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ $id: 'https://atrium.test/', components: document.components }, undefined, false, false);
  for (const path of ['/api-keys', '/events', '/connections']) {
    const answer = await fetch(`${server.url}/v1/realms/acme${path}`, { headers: { authorization: 'Bearer sk_demo_atrium' } });
    const { schema } = document.paths[`/v1/realms/{realm}${path}`].get.responses['200'].content['application/json'];
    const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"https://atrium.test/#/')));
    assert.ok(validate(await answer.json()), JSON.stringify(validate.errors));
  }
});
