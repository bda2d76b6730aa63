/** `version`: ours, and that of the API server. */
import { isJson, sayJson } from './json.ts';
import { EXIT } from './objects.ts';
import type { Session } from './session.ts';

export async function version(session: Session): Promise<number> {
  const { gitVersion } = (await session.transport.request({ method: 'GET', path: '/version' })) as {
    gitVersion: string;
  };
  if (isJson(session)) return sayJson(session, { client: session.version, kubernetes: gitVersion });
  session.say(`kubectl sky   ${session.version}`);
  session.say(`Kubernetes    ${gitVersion}`);
  return EXIT.ok;
}
