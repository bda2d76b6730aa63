import type { ErrorRow } from '../kit/classify.ts';

/** Codes of the API, which stay the same while messages change. A row without an outcome leaves it unknown. */
export const errors: readonly ErrorRow[] = [
  // Before every code: a throttled call carries the code of a quota.
  { http: 429, class: 'rate-limit', scope: 'none', hint: 'Lambda asks to be called less often.' },
  {
    code: 'instance-operations/launch/insufficient-capacity',
    class: 'capacity',
    scope: 'offering',
    outcome: 'not-started',
    ttl: 120,
    hint: 'No {instanceType} is free in {region} now.',
  },
  {
    code: 'instance-operations/launch/file-system-in-wrong-region',
    class: 'invalid',
    scope: 'region',
    outcome: 'not-started',
    hint: 'A file system of spec.config.fileSystems is not in {region}.',
  },
  {
    code: 'global/quota-exceeded',
    class: 'quota',
    scope: 'cloud',
    outcome: 'not-started',
    ttl: 900,
    hint: 'Ask Lambda for a higher quota.',
  },
  {
    code: 'global/invalid-parameters',
    class: 'invalid',
    scope: 'request',
    outcome: 'not-started',
    hint: 'Lambda does not accept the named fields.',
  },
  {
    code: 'global/object-does-not-exist',
    class: 'not-found',
    scope: 'none',
    outcome: 'not-started',
    hint: 'Lambda does not know the machine, type, key or ruleset.',
  },
  {
    code: 'global/duplicate',
    class: 'conflict',
    scope: 'none',
    outcome: 'not-started',
    hint: 'Something of that name exists already.',
  },
  {
    code: 'global/invalid-api-key',
    class: 'auth',
    scope: 'cloud',
    outcome: 'not-started',
    hint: 'Create a new API key at Lambda and put it into the Secret of the SkyCloud as api_key.',
  },
  {
    code: 'global/account-inactive',
    class: 'billing',
    scope: 'cloud',
    outcome: 'not-started',
    hint: 'Verify the e-mail address of the account at Lambda and add a card.',
  },
  {
    code: 'global/invalid-address',
    class: 'billing',
    scope: 'cloud',
    outcome: 'not-started',
    hint: 'Complete the billing address of the account at Lambda.',
  },
  {
    code: /^(ssh-keys\/key|filesystems\/filesystem|firewall-rulesets\/firewall-ruleset)-in-use$/,
    class: 'conflict',
    scope: 'none',
    outcome: 'not-started',
    hint: 'A machine still uses it.',
  },
  {
    code: /^(provider\/.*|global\/unknown|global\/internal-error)$/,
    class: 'transient',
    scope: 'none',
    hint: 'Lambda had an internal error.',
  },
];
