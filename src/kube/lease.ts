import { isAlreadyExists, isConflict, isNotFound } from './errors.ts';
import { apiVersionOf, LEASES, pathOf, type Lease } from './resources.ts';
import type { Transport } from './transport.ts';

/** Where followers forward what only the leader can answer. */
const ADDRESS = 'sky-operator.dev/leader-address';

export interface LeaseRecord {
  /** '' when nobody holds it. */
  readonly holder: string;
  readonly address: string | undefined;
  readonly renewTime: string;
  readonly acquireTime: string;
  readonly transitions: number;
  readonly resourceVersion: string;
}

/** What a write leaves: the stored record, or `refused` when somebody else wrote first. */
export type LeaseWrite = LeaseRecord | 'refused';

export interface LeaseClient {
  read(signal: AbortSignal): Promise<LeaseRecord | undefined>;
  /** Creates it without `over`, else replaces exactly that version. Throws KubeError when the outcome is unknown. */
  write(record: Omit<LeaseRecord, 'resourceVersion'>, durationMs: number, over?: LeaseRecord): Promise<LeaseWrite>;
}

export function leaseClient(transport: Transport, namespace: string, name: string): LeaseClient {
  const path = pathOf(LEASES, { namespace, name });
  return {
    read: async (signal) => {
      try {
        return recordOf((await transport.request({ method: 'GET', path, signal })) as Lease);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    write: async ({ holder, address, renewTime, acquireTime, transitions }, durationMs, over) => {
      const body = {
        apiVersion: apiVersionOf(LEASES),
        kind: LEASES.kind,
        metadata: {
          name,
          namespace,
          ...(address ? { annotations: { [ADDRESS]: address } } : {}),
          ...(over ? { resourceVersion: over.resourceVersion } : {}),
        },
        spec: {
          holderIdentity: holder,
          leaseDurationSeconds: Math.max(1, Math.round(durationMs / 1_000)),
          acquireTime,
          renewTime,
          leaseTransitions: transitions,
        },
      };
      const call = over
        ? ({ method: 'PUT', path, body } as const)
        : ({ method: 'POST', path: pathOf(LEASES, { namespace }), body } as const);
      try {
        return recordOf((await transport.request(call)) as Lease);
      } catch (error) {
        if (isConflict(error) || isAlreadyExists(error) || isNotFound(error)) return 'refused';
        throw error;
      }
    },
  };
}

/** RFC 3339 with microseconds, as Leases and events want it. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

function recordOf({ metadata, spec = {} }: Lease): LeaseRecord {
  return {
    holder: spec.holderIdentity ?? '',
    address: metadata.annotations?.[ADDRESS],
    renewTime: spec.renewTime ?? '',
    acquireTime: spec.acquireTime ?? '',
    transitions: spec.leaseTransitions ?? 0,
    resourceVersion: metadata.resourceVersion,
  };
}
