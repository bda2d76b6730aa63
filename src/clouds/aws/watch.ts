import type { Message } from '@aws-sdk/client-sqs';
import type { CheckItem, NodeEvent } from '../contract.ts';
import { optional } from '../kit/answer.ts';
import type { Aws } from './client.ts';
import { failed, refusal } from './fault.ts';
import { configOf } from './manifest.ts';
import { eventsIn } from './notices.ts';
import { accountOf } from './read.ts';

/** The longest that SQS waits for a message. */
const MAX_WAIT_SECONDS = 20;
/** Of the time of a request: the rest is for the answer to travel. */
const WAIT_SHARE = 0.7;
/** The most that SQS hands out at once. */
const MESSAGES = 10;
/** A message that is not deleted by then is handed out again. */
const VISIBILITY_SECONDS = 20;
const SHOWN = 100;

interface Queue {
  readonly url: string;
  readonly region: string;
}

/** Undefined where the SkyCloud names none. */
function queueOf(aws: Aws): Queue | undefined {
  const { queueUrl: url } = configOf(aws.cx);
  const [, region] = /^https:\/\/sqs\.([^.]+)\./.exec(url ?? '') ?? [];
  return url === undefined || region === undefined ? undefined : { url, region };
}

/** What EventBridge puts into the queue, from its oldest message on. A message goes when its events were handed over. */
export async function* watch(aws: Aws): AsyncIterable<NodeEvent> {
  const { signal, clock } = aws.cx;
  const queue = queueOf(aws);
  if (!queue) throw refusal({ class: 'unsupported', hint: 'Name the queue in spec.config.notices.queueUrl.' });
  const report = reporter(aws);
  try {
    const { id: account } = await accountOf(aws);
    while (!signal.aborted) {
      const messages = await receive(aws, queue, { MaxNumberOfMessages: MESSAGES, wait: waitSeconds(aws) });
      for (const { Body } of messages) yield* eventsIn(Body, { account, now: clock.now() }) ?? report(Body);
      await remove(aws, queue, messages);
    }
  } catch (error) {
    if (!signal.aborted) throw failed(error, { op: 'ReceiveMessage', creates: false });
  }
}

/** Whether the queue can be read. It is looked into and nothing is taken out; without it, notices are missed and nothing else. */
export async function checkQueue(aws: Aws): Promise<CheckItem[]> {
  const queue = queueOf(aws);
  if (!queue) return [];
  try {
    await receive(aws, queue, { MaxNumberOfMessages: 1, VisibilityTimeout: 0, wait: 0 });
    return [{ probe: 'permission', status: 'ok', message: `Notices are read from ${queue.url}.` }];
  } catch (error) {
    const { native, hint } = failed(error, { op: 'ReceiveMessage', creates: false }).fault;
    const message = `Notices cannot be read from ${queue.url}: ${native?.message ?? 'no answer'}`;
    return [{ probe: 'permission', status: 'warn', message, hint: `${hint ?? ''} ${RIGHTS}`.trim() }];
  }
}

const RIGHTS =
  'The operator needs sqs:ReceiveMessage and sqs:DeleteMessage; without them, interruptions are seen later.';

interface Receipt {
  readonly MaxNumberOfMessages: number;
  readonly VisibilityTimeout?: number;
  /** Seconds. */
  readonly wait: number;
}

async function receive(aws: Aws, { url, region }: Queue, { wait, ...how }: Receipt): Promise<readonly Message[]> {
  const input = { QueueUrl: url, VisibilityTimeout: VISIBILITY_SECONDS, WaitTimeSeconds: wait, ...how };
  const { Messages = [] } = await aws.sqs(region, 'ReceiveMessage', (sqs, options) =>
    sqs.receiveMessage(input, options),
  );
  return Messages;
}

async function remove(aws: Aws, { url, region }: Queue, messages: readonly Message[]): Promise<void> {
  if (messages.length === 0) return;
  const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  await aws.sqs(region, 'DeleteMessageBatch', (sqs, options) =>
    sqs.deleteMessageBatch({ QueueUrl: url, Entries }, options),
  );
}

function waitSeconds({ cx }: Aws): number {
  return Math.max(0, Math.min(MAX_WAIT_SECONDS, Math.floor((cx.remainingMs() / 1_000) * WAIT_SHARE)));
}

/** Tells once of messages that no machine is in: a queue that has them is somebody else's, or its rule is too wide. */
function reporter({ cx }: Aws): (body: string | undefined) => NodeEvent[] {
  let seen = 0;
  return (body) => {
    seen += 1;
    const level = seen === 1 ? 'warn' : 'debug';
    const about = { seen, ...optional('begins', body?.slice(0, SHOWN)) };
    cx.log[level]('The queue of notices has a message that tells of no machine, and it is deleted.', about);
    return [];
  };
}
