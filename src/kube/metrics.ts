import type { IncomingMessage, ServerResponse } from 'node:http';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds of a pass. */
const PASS_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** Seconds in the work queue: 1e-8 × 10ⁱ, as client-go counts them. */
const QUEUE_BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000];
/** Seconds of an API call. */
const CALL_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** Adds a source for one set of labels. */
export type Sampled = (labels: Record<string, string>, read: () => number) => void;

export type KubeMetrics = ReturnType<typeof kubeMetrics>;

/** The series of this room, under the names that controller-runtime and client-go made customary. */
export function kubeMetrics(registry: Registry = new Registry()) {
  return { registry, ...controllerMetrics(registry), ...queueMetrics(registry), ...clientMetrics(registry) };
}

/** Answers a scrape with everything in the registry. */
export function metricsHandler(
  registry: Registry,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (_request, response) => {
    const text = await registry.metrics();
    response.writeHead(200, { 'content-type': registry.contentType }).end(text);
  };
}

function controllerMetrics(registry: Registry) {
  const make = maker(registry);
  return {
    passes: make.counter('controller_runtime_reconcile_total', 'Passes by result.', ['controller', 'result']),
    passErrors: make.counter('controller_runtime_reconcile_errors_total', 'Passes that threw.', ['controller']),
    passTerminalErrors: make.counter(
      'controller_runtime_terminal_reconcile_errors_total',
      'Passes that threw an error which only a change of the object can cure.',
      ['controller'],
    ),
    passPanics: make.counter(
      'controller_runtime_reconcile_panics_total',
      'Passes that threw something which is no Error.',
      ['controller'],
    ),
    passTimeouts: make.counter('controller_runtime_reconcile_timeouts_total', 'Passes aborted at their deadline.', [
      'controller',
    ]),
    passSeconds: make.histogram(
      'controller_runtime_reconcile_time_seconds',
      'Seconds of a pass.',
      ['controller'],
      PASS_BUCKETS,
    ),
    activeWorkers: make.sampled('controller_runtime_active_workers', 'Passes in flight.', ['controller']),
    maxWorkers: make.gauge('controller_runtime_max_concurrent_reconciles', 'Passes at once at most.', ['controller']),
    staleSkips: make.counter(
      'sky_stale_cache_skips_total',
      "Passes put off because the cache lacked the operator's own last write.",
      ['controller'],
    ),
  };
}

function queueMetrics(registry: Registry) {
  const make = maker(registry);
  const labels = ['name', 'controller'];
  return {
    queueDepth: make.sampled('workqueue_depth', 'Keys ready for a pass.', [...labels, 'priority']),
    queueAdds: make.counter('workqueue_adds_total', 'Keys added.', labels),
    queueRetries: make.counter('workqueue_retries_total', 'Keys added again after a failed pass.', labels),
    queueSeconds: make.histogram(
      'workqueue_queue_duration_seconds',
      'Seconds a ready key waited.',
      labels,
      QUEUE_BUCKETS,
    ),
    workSeconds: make.histogram('workqueue_work_duration_seconds', 'Seconds of a pass.', labels, QUEUE_BUCKETS),
    unfinishedSeconds: make.sampled(
      'workqueue_unfinished_work_seconds',
      'Seconds of all passes in flight together.',
      labels,
    ),
    longestSeconds: make.sampled(
      'workqueue_longest_running_processor_seconds',
      'Seconds of the oldest pass in flight.',
      labels,
    ),
  };
}

function clientMetrics(registry: Registry) {
  const make = maker(registry);
  return {
    requests: make.counter('rest_client_requests_total', 'Calls to the API server; code <error> got no answer.', [
      'code',
      'method',
      'host',
    ]),
    requestSeconds: make.histogram(
      'rest_client_request_duration_seconds',
      'Seconds of a call to the API server.',
      ['verb', 'host'],
      CALL_BUCKETS,
    ),
    limiterSeconds: make.histogram(
      'rest_client_rate_limiter_duration_seconds',
      "Seconds a call waited for the operator's own rate limit.",
      ['verb', 'host'],
      CALL_BUCKETS,
    ),
    isLeader: make.gauge('leader_election_master_status', '1 while this process leads.', ['name']),
    leaderSlowpath: make.counter('leader_election_slowpath_total', 'Renewals that had to read the Lease first.', [
      'name',
    ]),
    reflectorObjects: make.sampled('sky_reflector_objects', 'Objects in the cache.', ['kind']),
    reflectorEventAge: make.sampled(
      'sky_reflector_last_event_age_seconds',
      'Seconds since the watch last said anything, bookmarks included.',
      ['kind'],
    ),
    reflectorSynced: make.sampled('sky_reflector_synced', '1 once the kind was listed completely.', ['kind']),
    relists: make.counter('sky_reflector_relists_total', 'Full lists by cause.', ['kind', 'cause']),
    watchErrors: make.counter('sky_reflector_watch_errors_total', 'Watches that failed, by cause.', ['kind', 'cause']),
    reflectorRestarts: make.counter('sky_reflector_restarts_total', 'Loops restarted after an exception.', [
      'kind',
      'cause',
    ]),
    statusWrites: make.counter('sky_status_writes_total', 'Status writes by outcome.', ['kind', 'outcome']),
    events: make.counter('sky_events_total', 'Events by outcome.', ['kind', 'reason', 'outcome']),
  };
}

/** Makes series in a registry. */
export function maker(registry: Registry) {
  const registers = [registry];
  return {
    counter: (name: string, help: string, labelNames: string[]) => new Counter({ name, help, labelNames, registers }),
    gauge: (name: string, help: string, labelNames: string[]) => new Gauge({ name, help, labelNames, registers }),
    /** A gauge whose values are asked for at each scrape. */
    sampled: (name: string, help: string, labelNames: string[]): Sampled => {
      const sources: [Record<string, string>, () => number][] = [];
      const gauge: Gauge = new Gauge({
        name,
        help,
        labelNames,
        registers,
        collect: () => sources.forEach(([labels, read]) => gauge.set(labels, read())),
      });
      return (labels, read) => void sources.push([labels, read]);
    },
    histogram: (name: string, help: string, labelNames: string[], buckets: number[]) =>
      new Histogram({ name, help, labelNames, buckets, registers }),
  };
}
