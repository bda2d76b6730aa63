import assert from 'node:assert/strict';
import type { Condition, SkyCloud } from '../../../src/api/types.gen.ts';
import { checkText } from '../../../src/cli/check.ts';

const sound = (type: string, message = ''): Condition => condition(type, 'True', type, message);

function condition(type: string, status: 'True' | 'False', reason: string, message: string): Condition {
  return { type, status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' };
}

function cloud(name: string, conditions?: readonly Condition[]): SkyCloud {
  return {
    apiVersion: 'sky-operator.dev/v1alpha1',
    kind: 'SkyCloud',
    metadata: { name, uid: name, resourceVersion: '1' },
    spec: { provider: name, allowedNamespaces: { from: 'All' } },
    ...(conditions
      ? {
          status: {
            conditions: [...conditions],
            account: { id: '42', display: `${name}@example` },
            catalog: { regions: 3, instanceTypes: 8, accelerators: 2 },
            nodes: { running: 1 },
          },
        }
      : {}),
  };
}

const allRights = sound('PermissionsSufficient', 'all rights that launches need are there');

describe('kubectl sky check', () => {
  it('shows every cloud, whose it is and what was found there', () => {
    assert.equal(
      checkText([cloud('aws', [sound('Ready'), allRights, sound('CatalogFresh')])]),
      [
        'SKYCLOUD   PROVIDER   USABLE   ACCOUNT       REGIONS   TYPES   ACCELERATORS   MACHINES',
        'aws        aws        yes      aws@example   3         8       2              1',
        '',
      ].join('\n'),
    );
  });

  const cases: readonly { readonly what: string; readonly conditions?: readonly Condition[]; readonly says: string }[] =
    [
      {
        what: 'what is in the way and the next step',
        conditions: [condition('Ready', 'False', 'SecretMissing', 'Secret sky-operator/gcp does not exist; create it')],
        says: 'gcp: SecretMissing: Secret sky-operator/gcp does not exist; create it\n',
      },
      {
        what: 'rights and quotas that are missing although the cloud can be used',
        conditions: [sound('Ready'), sound('PermissionsSufficient', 'us-east-1: the quota of P instances is 0.')],
        says: 'gcp: PermissionsSufficient: us-east-1: the quota of P instances is 0.\n',
      },
      {
        what: 'prices that are old',
        conditions: [sound('Ready'), allRights, condition('CatalogFresh', 'False', 'CatalogStale', 'HTTP 500')],
        says: 'gcp: CatalogStale: HTTP 500\n',
      },
      { what: 'that nobody has looked yet', says: 'gcp: not looked at yet; is the operator running?' },
    ];
  for (const { what, conditions, says } of cases) {
    it(`tells ${what}`, () => {
      const text = checkText([cloud('gcp', conditions)]);
      assert.ok(text.includes(says), text);
    });
  }

  it('says how to begin where there is no cloud', () => {
    assert.match(checkText([]), /Apply one/);
  });
});
