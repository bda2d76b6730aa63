import assert from 'node:assert/strict';
import { redactor } from '../../src/redact.ts';

const LINE = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj';
const PEM = `-----BEGIN PRIVATE KEY-----\n${LINE}\nabc=\n-----END PRIVATE KEY-----\n`;

describe('the redactor', () => {
  const cases: readonly {
    readonly what: string;
    readonly learnt: string;
    readonly text: string;
    readonly clean: string;
  }[] = [
    { what: 'a value', learnt: 'hunter2-hunter2', text: 'key hunter2-hunter2!', clean: 'key [redacted]!' },
    {
      what: 'a value in base64',
      learnt: 'hunter2-hunter2',
      text: Buffer.from('hunter2-hunter2').toString('base64'),
      clean: '[redacted]',
    },
    { what: 'one line of a key file', learnt: PEM, text: `near ${LINE}`, clean: 'near [redacted]' },
    {
      what: 'the key within a JSON file',
      learnt: JSON.stringify({ type: 'service_account', private_key: PEM }),
      text: `bad key "${LINE}"`,
      clean: 'bad key "[redacted]"',
    },
    { what: 'nothing for a value that is an ordinary word', learnt: 'admin', text: 'admin said', clean: 'admin said' },
  ];
  for (const { what, learnt, text, clean } of cases) {
    it(`hides ${what}`, () => {
      const secrets = redactor();
      secrets.learn(learnt);
      assert.equal(secrets.clean(text), clean);
    });
  }
});
