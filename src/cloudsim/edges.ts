import type { Clock } from '../clock.ts';
import { ApiError } from './errors.ts';
import type { Action, Corruption, Edge, Plan, Subject } from './plan.ts';

/** How an answer leaves the cloud. */
export interface Said {
  readonly kind: 'said';
  readonly status: number;
  /** MIME type. */
  readonly type: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type Answer =
  | Said
  | { readonly kind: 'corrupt'; readonly how: Corruption; readonly said: Said }
  /** Nothing is said and the connection stays open. */
  | { readonly kind: 'silence' }
  | { readonly kind: 'reset' };

/** A call in three steps: what it is about, what it would do, and doing it. Each throws ApiError to refuse. */
export interface Operation {
  readonly subject: Subject;
  /** Checks everything that can be checked without effect. The result does it, and answers, be it after a while. */
  validate(): () => unknown;
  /** What an accepted call that is never executed answers. */
  readonly ignored: unknown;
}

/** A message that got lost or cut off on its way. */
class Interrupted extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(answer.kind);
    this.answer = answer;
  }
}

/** One numbered event on the way of a call; the harness that kills things waits for these. */
export type Trace = (edge: Edge, subject: Subject, actions: readonly Action[]) => void;

/**
 * Passes a call over the five edges and lets the plan strike at each. What was committed stays committed, whatever the caller
 * hears: that is how "500 but created" and "timed out, created 90 s later" come to be. Throws what `refusal` makes an answer of.
 */
export async function overEdges(
  operation: Operation,
  { plan, clock, trace, say }: { plan: Plan; clock: Clock; trace: Trace; say: (body: unknown) => Said },
): Promise<Answer> {
  const { subject } = operation;
  const pass = async (edge: Edge): Promise<readonly Action[]> => {
    const actions = plan.at(edge, subject);
    trace(edge, subject, actions);
    for (const action of actions) await strike(action, clock);
    return actions;
  };
  const before = await pass('received');
  let commit = operation.validate();
  const early = [...before, ...(await pass('validated'))];
  if (early.some((action) => action.kind === 'ignore')) commit = () => operation.ignored;
  const body = await commit();
  if (early.some((action) => action.kind === 'duplicate')) await operation.validate()();

  await pass('committed');
  const corruption = (await pass('answered')).find((action) => action.kind === 'corrupt');
  await pass('delivered');
  const said = say(body);
  return corruption ? { kind: 'corrupt', how: corruption.how, said } : said;
}

/** The answer that tells of an error. Anything but a refusal or an interruption is a bug, and is thrown on. */
export function refusal(error: unknown, refuse: (error: ApiError) => Said): Answer {
  if (error instanceof Interrupted) return error.answer;
  if (error instanceof ApiError) return refuse(error);
  throw error;
}

async function strike(action: Action, clock: Clock): Promise<void> {
  switch (action.kind) {
    case 'delay':
      return clock.sleep(action.ms);
    case 'drop':
      throw new Interrupted({ kind: 'silence' });
    case 'reset':
      throw new Interrupted({ kind: 'reset' });
    case 'fail':
      throw new ApiError(action.code, action.message, action.native ? { native: action.native } : {});
    case 'duplicate':
    case 'ignore':
    case 'corrupt':
    case 'boot-fault':
      return;
    default:
      action satisfies never;
  }
}
