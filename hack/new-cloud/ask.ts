import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { FLAGS, UsageError } from './options.ts';
import type { Flag } from './options.ts';

const QUESTIONS: Readonly<Record<Flag, string>> = {
  auth: 'How does a call say who calls?',
  idempotency: 'Why does a launch that is sent twice make one machine?',
  tags: 'When do machines get tags?',
  gang: 'How many machines does a launch make: one, or all of a gang?',
  stop: 'Can machines be stopped?',
  spot: 'Is there a spot market?',
  zones: 'Do regions have zones?',
};

/** Asks for every flag; an empty answer takes the default. Throws UsageError where the answers end early. */
export async function ask(
  input: Readable,
  output: { write(text: string): unknown },
): Promise<Partial<Record<Flag, string>>> {
  const terminal = createInterface({ input });
  const lines = terminal[Symbol.asyncIterator]();
  const answers: Partial<Record<Flag, string>> = {};
  try {
    for (const flag of Object.keys(FLAGS) as Flag[]) {
      const [standard, ...others] = FLAGS[flag];
      output.write(`${QUESTIONS[flag]} [${standard}] ${others.join(', ')}: `);
      const { value, done } = await lines.next();
      if (done) throw new UsageError('no answer; nothing was written');
      if (value.trim() !== '') answers[flag] = value.trim();
    }
    return answers;
  } finally {
    terminal.close();
  }
}
