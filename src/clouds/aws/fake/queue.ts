/** SQS with the one queue that EventBridge fills: what the simulator tells of machines, and whatever a test puts there. */
import { createHash } from 'node:crypto';
import { jsonBody } from '../../../cloudsim/api/http.ts';
import type { Cloud } from '../../../cloudsim/cloud.ts';
import type { Operation } from '../../../cloudsim/edges.ts';
import type { MachineEvent } from '../../../cloudsim/events.ts';
import type { LedgerRow } from '../../../cloudsim/ledger.ts';
import { shaped } from '../../../cloudsim/shape.ts';
import { subjectOf } from '../../../cloudsim/wire.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import { native } from './call.ts';
import { nativeState } from './instance.ts';
import type { JsonAnswer } from './services.ts';

export const QUEUE = 'sky-notices';
const SENT = 'sqs-message';
const AT_ONCE = 1_000;

const RECEIVE = {
  QueueUrl: 'string',
  MaxNumberOfMessages: 'number?',
  VisibilityTimeout: 'number?',
  WaitTimeSeconds: 'number?',
} as const;

export function receiveMessage(call: Call): Operation {
  const body = shaped(jsonBody(call.request), RECEIVE);
  const { MaxNumberOfMessages: most = 1, VisibilityTimeout: hidden = 30, WaitTimeSeconds: seconds = 0 } = body;
  return onQueue(call, body, async () => {
    const { cloud, credential } = call;
    const queue = queueOf(cloud, credential.account);
    const found = queue.take(most, hidden);
    if (found.length === 0) await cloud.feed.wait(credential.account, cloud.feed.end, { limit: 1, seconds });
    const messages = found.length > 0 ? found : queue.take(most, hidden);
    return messages.length === 0 ? {} : { Messages: messages.map(wireMessage) };
  });
}

export function deleteMessages(call: Call): Operation {
  const body = shaped(jsonBody(call.request), { QueueUrl: 'string', Entries: 'array' });
  return onQueue(call, body, () => {
    const queue = queueOf(call.cloud, call.credential.account);
    const entries = body.Entries as readonly { readonly Id: string; readonly ReceiptHandle: string }[];
    for (const { ReceiptHandle } of entries) queue.remove(ReceiptHandle);
    return { Successful: entries.map(({ Id }) => ({ Id })), Failed: [] };
  });
}

export function sendMessage(call: Call): Operation {
  const body = shaped(jsonBody(call.request), { QueueUrl: 'string', MessageBody: 'string' });
  return onQueue(call, body, () => {
    const { cloud, credential, cause } = call;
    const id = `${SENT}-${cloud.feed.end}`;
    cloud.world.putThing(cause, { kind: SENT, account: credential.account, id, data: { body: body.MessageBody } });
    return { MessageId: id, MD5OfMessageBody: md5(body.MessageBody) };
  });
}

function onQueue(call: Call, { QueueUrl }: { readonly QueueUrl: string }, act: () => unknown): Operation {
  return {
    subject: subjectOf(call, {}),
    ignored: { json: {} },
    validate: () => {
      if (!QueueUrl.endsWith(`/${QUEUE}`)) throw native('QueueDoesNotExist', 'The specified queue does not exist.');
      return async (): Promise<JsonAnswer> => ({ json: await act() });
    },
  };
}

interface Message {
  readonly id: string;
  readonly body: string;
}

class NoticeQueue {
  readonly #cloud: Cloud;
  readonly #account: string;
  readonly #events = new Map<string, Message>();
  /** Simulated instants at which messages that were handed out come back. */
  readonly #hiddenUntil = new Map<string, number>();
  #after = 0;
  #last: LedgerRow | undefined;

  constructor(cloud: Cloud, account: string) {
    this.#cloud = cloud;
    this.#account = account;
  }

  take(most: number, hiddenSeconds: number): Message[] {
    const now = this.#cloud.timeline.now();
    const visible = this.#messages().filter(({ id }) => (this.#hiddenUntil.get(id) ?? 0) <= now);
    const taken = visible.slice(0, most);
    for (const { id } of taken) this.#hiddenUntil.set(id, now + hiddenSeconds * 1_000);
    return taken;
  }

  remove(id: string): void {
    this.#events.delete(id);
    this.#hiddenUntil.delete(id);
    this.#cloud.world.removeThing(
      { op: 'DeleteMessageBatch', requestId: '-', credential: 'cloud' },
      { kind: SENT, account: this.#account, id },
    );
  }

  #messages(): Message[] {
    this.#pull();
    const sent = this.#cloud.world.things(this.#account, SENT).map(({ id, data }) => ({ id, body: String(data.body) }));
    return [...this.#events.values(), ...sent];
  }

  #pull(): void {
    const { feed, ledger } = this.#cloud;
    // Another row than the last one that was read: the world was emptied since.
    if (ledger.rows[this.#after - 1] !== this.#last) this.#begin();
    while (this.#after < feed.end) {
      const { events, next } = feed.page(this.#account, this.#after, AT_ONCE);
      for (const event of events) this.#add(event);
      this.#after = next;
      this.#last = ledger.rows[next - 1];
    }
  }

  #begin(): void {
    this.#events.clear();
    this.#hiddenUntil.clear();
    this.#after = 0;
    this.#last = undefined;
  }

  #add(event: MachineEvent): void {
    const id = `event-${this.#after}-${this.#events.size}-${event.instance.id}`;
    this.#events.set(id, { id, body: JSON.stringify(envelopeOf(event)) });
  }
}

const queues = new WeakMap<Cloud, Map<string, NoticeQueue>>();

function queueOf(cloud: Cloud, account: string): NoticeQueue {
  const ofCloud = queues.get(cloud) ?? new Map<string, NoticeQueue>();
  queues.set(cloud, ofCloud);
  const queue = ofCloud.get(account) ?? new NoticeQueue(cloud, account);
  ofCloud.set(account, queue);
  return queue;
}

/** As EventBridge documents it. */
function envelopeOf({ kind, instance, at }: MachineEvent): Record<string, unknown> {
  const { id, account, region } = instance;
  const [type, detail] =
    kind === 'notice'
      ? ['EC2 Spot Instance Interruption Warning', { 'instance-action': 'terminate' }]
      : ['EC2 Instance State-change Notification', { state: nativeState(instance).name }];
  return {
    version: '0',
    id: `${at}-${id}`,
    'detail-type': type,
    source: 'aws.ec2',
    account,
    time: new Date(at).toISOString(),
    region,
    resources: [`arn:aws:ec2:${region}:${account}:instance/${id}`],
    detail: { 'instance-id': id, ...detail },
  };
}

function wireMessage({ id, body }: Message): Record<string, unknown> {
  return { MessageId: id, ReceiptHandle: id, Body: body, MD5OfBody: md5(body) };
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
