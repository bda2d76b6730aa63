import type { CallContext, CatalogRow, NodePage, NodeProvider } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import { allowsLoopback } from './address.ts';
import { catalogRows } from './catalog.ts';
import { check, failedReport } from './check.ts';
import { errors } from './errors.ts';
import { Fleet } from './fleet.ts';
import { launch } from './launch.ts';
import { Limit } from './limit.ts';
import { capabilities, manifest } from './manifest.ts';
import { ACCOUNT, got, listed, terminated } from './read.ts';

/** Below the ten unauthenticated connections at which an sshd begins to drop some. */
const HANDSHAKES = 10;

/** Hosts that exist already. `allowedHosts` with a loopback address: hosts may be on this machine. */
export function provider(allowedHosts: readonly string[]): NodeProvider {
  const options = { allowLoopback: allowsLoopback(allowedHosts), handshakes: new Limit(HANDSHAKES) };

  const withFleet = async <T>(cx: CallContext, run: (fleet: Fleet) => Promise<T>): Promise<T> => {
    const fleet = new Fleet(cx, options);
    try {
      return await run(fleet);
    } finally {
      await fleet.close();
    }
  };
  const guarded = async <T>(op: string, cx: CallContext, run: (fleet: Fleet) => Promise<T>): Promise<T> => {
    try {
      return await withFleet(cx, run);
    } catch (error) {
      throw classify(errors, error, { op, creates: false });
    }
  };

  return {
    manifest,
    capabilities: () => capabilities,
    async check(cx, q) {
      try {
        return await withFleet(cx, (fleet) => check(cx, fleet, q?.regions));
      } catch (error) {
        return failedReport(error);
      }
    },
    // Leases need nothing that is not made with them.
    prepare: async () => ({ handle: '' }),
    launch: (cx, request) => guarded('launch', cx, (fleet) => launch(cx, fleet, request)),
    async *list(cx, q) {
      yield await pageOf(cx, q, withFleet);
    },
    get: (cx, ids) => guarded('get', cx, (fleet) => got(fleet, ids)),
    terminate: (cx, ids) => guarded('terminate', cx, (fleet) => terminated(fleet, ids)),
    cleanup: async () => ({ remaining: [] }),
    async *catalog(cx, q) {
      yield* await guarded('catalog', cx, (fleet) => rowsOf(fleet, q?.regions));
    },
  };
}

async function pageOf(
  cx: CallContext,
  q: { readonly installation: string; readonly region?: string },
  withFleet: <T>(cx: CallContext, run: (fleet: Fleet) => Promise<T>) => Promise<T>,
): Promise<NodePage> {
  try {
    return await withFleet(cx, (fleet) => listed(cx, fleet, q));
  } catch (error) {
    cx.log.warn('The hosts could not be listed.', { err: error });
    return { nodes: [], complete: false, account: ACCOUNT };
  }
}

/** Rows of the hosts that answer. When none does, the last good list is better than an empty one, so that is an error. */
async function rowsOf(fleet: Fleet, regions: readonly string[] | undefined): Promise<CatalogRow[]> {
  const hosts = fleet.settings.hosts.filter(({ pool }) => regions === undefined || regions.includes(pool));
  const { looked, refused } = await fleet.lookAll(hosts);
  const [first] = refused;
  if (looked.length === 0 && first) throw first.error;
  return catalogRows(looked);
}
