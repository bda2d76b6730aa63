import assert from 'node:assert/strict';
import { addressPolicy } from '../../../src/controllers/address-policy.ts';

describe('the address of a machine', () => {
  const cases: readonly { readonly host: string; readonly isPrivate?: true; readonly dialled: boolean }[] = [
    { host: '203.0.113.7', dialled: true },
    { host: '2001:db8::7', dialled: true },
    { host: '10.1.2.3', dialled: false },
    { host: '10.1.2.3', isPrivate: true, dialled: true },
    { host: 'fd00::1', dialled: false },
    { host: 'fd00::1', isPrivate: true, dialled: true },
    { host: '127.0.0.1', isPrivate: true, dialled: false },
    { host: '::1', isPrivate: true, dialled: false },
    { host: '169.254.169.254', isPrivate: true, dialled: false },
    { host: '0.0.0.0', isPrivate: true, dialled: false },
    { host: 'evil.example', isPrivate: true, dialled: false },
  ];
  for (const { host, isPrivate, dialled } of cases) {
    const where = isPrivate ? ' of a cloud whose machines have private ones' : '';
    it(`${host}${where} is ${dialled ? '' : 'not '}dialled`, () => {
      const refused = addressPolicy([])({ host, port: 22, ...(isPrivate ? { isPrivate } : {}) });
      assert.equal(refused === undefined, dialled, refused);
    });
  }

  it('may be one of the simulator where the operator was told so', () => {
    const policy = addressPolicy(['127.0.0.1']);
    assert.equal(policy({ host: '10.99.0.2', port: 22 }), undefined);
    assert.equal(policy({ host: '127.0.0.2', port: 2222 }), undefined);
    assert.ok(policy({ host: '10.98.0.2', port: 22 }));
  });
});
