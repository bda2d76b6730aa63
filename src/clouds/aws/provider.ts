import type { CallContext, NodeProvider } from '../contract.ts';
import { catalogRows } from './catalog.ts';
import { cleanup, setTags, start, stop, terminate } from './change.ts';
import { check } from './check.ts';
import { Aws, Clients } from './client.ts';
import { failed, guarded } from './fault.ts';
import { launch } from './launch.ts';
import { capabilitiesOf, manifest } from './manifest.ts';
import { ensurePorts, handleOf, prepareNetwork } from './network.ts';
import { get, list } from './read.ts';
import { watch } from './watch.ts';

/** EC2. Ids are `<region>/<instance id>`. `allowedHosts`: hosts that may be reached by http or at private addresses. */
export function provider(allowedHosts: readonly string[]): NodeProvider {
  const clients = new Clients(allowedHosts);
  const aws = (cx: CallContext): Aws => new Aws(clients, cx);

  return {
    manifest,
    capabilities: (cx, where) => capabilitiesOf(cx, where),
    check: (cx, q) => check(aws(cx), q),
    prepare: async (cx, q) => {
      const network = await guarded({ op: 'prepare' }, () => prepareNetwork(aws(cx), q));
      return { handle: handleOf(network) };
    },
    ensurePorts: (cx, q) => guarded({ op: 'prepare' }, () => ensurePorts(aws(cx), q)),
    launch: (cx, request) => launch(aws(cx), request),
    list: (cx, q) => list(aws(cx), q),
    get: (cx, ids) => get(aws(cx), ids),
    terminate: (cx, ids) => terminate(aws(cx), ids),
    stop: (cx, ids) => stop(aws(cx), ids),
    start: (cx, ids) => start(aws(cx), ids),
    setTags: (cx, id, set, unset) => setTags(aws(cx), id, { set, unset }),
    cleanup: (cx, q) => cleanup(aws(cx), q),
    watch: (cx) => watch(aws(cx)),
    async *catalog(cx, q) {
      try {
        yield* catalogRows(aws(cx), q?.regions);
      } catch (error) {
        throw failed(error, { op: 'catalog', creates: false });
      }
    },
  };
}
