/** The certificate that the logs API shows: made by the first replica that finds none, shared by all through a Secret. */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Api } from '../kube/api.ts';
import { isAlreadyExists } from '../kube/errors.ts';
import type { Secret } from '../kube/resources.ts';
import { certificateAuthority } from './certificate.ts';

export const SERVING_SECRET = 'sky-operator-logs-serving';
/** Name of the Service that the APIService points to. */
const SERVICE = 'sky-operator';
const DAY_MS = 86_400_000;
/** An APIService has to be told the new authority by hand, so it is not changed often. */
const LIFE_MS = 3_650 * DAY_MS;

/** PEM. */
export interface Serving {
  /** What the APIService's caBundle holds. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export interface ServingDeps {
  readonly secrets: Api<Secret>;
  readonly namespace: string;
  readonly clock: Clock;
}

const RETRY_MS = 5_000;

/** The certificate as soon as the API server gives it; undefined once the signal has aborted. */
export async function servingSoon(
  deps: ServingDeps & { readonly log: Logger },
  signal: AbortSignal,
): Promise<Serving | undefined> {
  while (!signal.aborted) {
    try {
      return await servingCertificate(deps, signal);
    } catch (error) {
      if (!signal.aborted) deps.log.warn('There is no certificate to serve with yet', { err: error });
      await deps.clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
  return undefined;
}

/** Throws KubeError. A Secret without the three keys is an Error that says what to do. */
export async function servingCertificate(deps: ServingDeps, signal: AbortSignal): Promise<Serving> {
  const ref = { namespace: deps.namespace, name: SERVING_SECRET };
  const secret = (await deps.secrets.get(ref, signal)) ?? (await create(deps, signal));
  // Another replica was faster: its certificate is ours too.
  return servingOf(secret ?? (await deps.secrets.get(ref, signal)));
}

async function create({ secrets, namespace, clock }: ServingDeps, signal: AbortSignal): Promise<Secret | undefined> {
  const authority = certificateAuthority('sky-operator-logs', {
    from: clock.now() - DAY_MS,
    until: clock.now() + LIFE_MS,
  });
  const hosts = [`${SERVICE}.${namespace}.svc`, 'localhost', '127.0.0.1'];
  const { certificate, key } = authority.issue({ user: SERVICE, hosts });
  const data = { 'ca.crt': base64(authority.certificate), 'tls.crt': base64(certificate), 'tls.key': base64(key) };
  try {
    return await secrets.create(
      { metadata: { namespace, name: SERVING_SECRET }, type: 'kubernetes.io/tls', data },
      signal,
    );
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}

function servingOf(secret: Secret | undefined): Serving {
  const text = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
  const serving = { authority: text('ca.crt'), certificate: text('tls.crt'), key: text('tls.key') };
  if (Object.values(serving).includes(''))
    throw new Error(`Secret ${SERVING_SECRET} lacks ca.crt, tls.crt or tls.key; delete it and a new one is made`);
  return serving;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
