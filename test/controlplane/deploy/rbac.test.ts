import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { controlPlane, freshNamespace } from '../../support/controlplane.ts';
import { eventually } from '../kube/support.ts';
import { DEPLOY, install, kubectl, may, OPERATOR, run } from './support.ts';

/** Verbs by resource and group: `skyjobs/status.sky-operator.dev`. */
type Rights = Readonly<Record<string, readonly string[]>>;

const GOLDEN = parse(readFileSync(join(import.meta.dirname, '../../fixtures/api/operator-rights.yaml'), 'utf8')) as {
  readonly everywhere: Rights;
  readonly inItsOwnNamespace: Rights;
  readonly whereATenantBoundIt: Rights;
};

const ACCOUNT_USER = {
  user: `system:serviceaccount:${OPERATOR}:${OPERATOR}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${OPERATOR}`],
};

describe('the rights of the operator', function () {
  this.timeout(60_000);
  let kubeconfig: string;
  let tenant: string;

  before(async () => {
    await install();
    kubeconfig = await (await controlPlane()).kubeconfigFor(ACCOUNT_USER);
    tenant = await freshNamespace();
  });

  it('in its own namespace are those of the table', async () => {
    assert.deepEqual(await rightsIn(OPERATOR), sorted({ ...GOLDEN.everywhere, ...GOLDEN.inItsOwnNamespace }));
  });

  it('in the namespace of a tenant are those of the table', async () => {
    assert.deepEqual(await rightsIn(tenant), sorted(GOLDEN.everywhere));
  });

  it('extend to the Secrets and ConfigMaps of a tenant that grants it, by name only', async () => {
    const granting = await freshNamespace();
    const role = ['--clusterrole=sky-operator-tenant', `--serviceaccount=${OPERATOR}:${OPERATOR}`];
    await run(['-n', granting, 'create', 'rolebinding', 'sky-operator-tenant', ...role]);
    await eventually('the grant works', () => may(ACCOUNT_USER, 'get secrets', granting));
    assert.deepEqual(await rightsIn(granting), sorted({ ...GOLDEN.everywhere, ...GOLDEN.whereATenantBoundIt }));
  });

  const FORBIDDEN = {
    'in the whole cluster': [
      'list secrets',
      'watch secrets',
      'list configmaps',
      'get nodes',
      'impersonate users',
      'impersonate groups',
      'create customresourcedefinitions.apiextensions.k8s.io',
      'patch customresourcedefinitions.apiextensions.k8s.io',
      'create validatingwebhookconfigurations.admissionregistration.k8s.io',
      'create mutatingwebhookconfigurations.admissionregistration.k8s.io',
      'create clusterroles.rbac.authorization.k8s.io',
      'create clusterrolebindings.rbac.authorization.k8s.io',
      'escalate clusterroles.rbac.authorization.k8s.io',
      'bind clusterroles.rbac.authorization.k8s.io',
      'create skyclouds.sky-operator.dev',
      'delete skyclouds.sky-operator.dev',
      'delete namespaces',
      'patch namespaces',
    ],
    'in its own namespace': [
      'list secrets',
      'watch secrets',
      'create pods',
      'create pods/exec',
      'create serviceaccounts/token',
      'impersonate serviceaccounts',
      'create rolebindings.rbac.authorization.k8s.io',
    ],
    'in the namespace of a tenant': [
      'get secrets',
      'list secrets',
      'get configmaps',
      'create pods',
      'create pods/exec',
      'create rolebindings.rbac.authorization.k8s.io',
      'create leases.coordination.k8s.io',
    ],
    'in kube-system': ['get secrets', 'get configmaps', 'update leases.coordination.k8s.io'],
  };
  for (const [where, questions] of Object.entries(FORBIDDEN))
    for (const question of questions)
      it(`do not reach to ${question} ${where}`, async () => {
        const namespaces: Record<string, string> = {
          'in its own namespace': OPERATOR,
          'in the namespace of a tenant': tenant,
          'in kube-system': 'kube-system',
        };
        assert.equal(await may(ACCOUNT_USER, question, namespaces[where]), false);
      });

  /** What the account may do in a namespace, without what everybody may. */
  async function rightsIn(namespace: string): Promise<Rights> {
    const anybody = await (await controlPlane()).kubeconfigFor({ user: 'anybody' });
    const common = await rightsOf(anybody, namespace);
    return Object.fromEntries(Object.entries(await rightsOf(kubeconfig, namespace)).filter(([key]) => !common[key]));
  }
});

describe('the roles for people', function () {
  this.timeout(60_000);
  let namespace: string;

  before(async () => {
    await install();
    namespace = await freshNamespace();
  });

  const READ = ['list skyjobs', 'get skyclusters', 'watch skyclusters'].map(ours);
  const SPEND = ['create skyjobs', 'patch skyjobs', 'delete skyjobs', 'create skyclusters', 'delete skyclusters'].map(
    ours,
  );
  const LOGS = ['get skyjobs/log.logs.sky-operator.dev'];
  const NEVER = [
    ...['patch skyjobs/status', 'update skyclusters/status', 'patch skyclouds/status', 'update skyjobs/finalizers'].map(
      ours,
    ),
    'get secrets',
  ];
  /** What each role gives where it is bound. The last three come with Kubernetes: sky-view is added to them, the right to spend is not. */
  const ROLES: readonly { role: string; gives: readonly string[]; withholds: readonly string[] }[] = [
    { role: 'sky-view', gives: READ, withholds: [...SPEND, ...LOGS, ...NEVER] },
    { role: 'sky-edit', gives: [...READ, ...SPEND, ...LOGS], withholds: NEVER },
    { role: 'sky-admin', gives: [...READ, ...SPEND, ...LOGS], withholds: NEVER },
    { role: 'view', gives: READ, withholds: [...SPEND, ...LOGS, ...NEVER] },
    { role: 'edit', gives: [...READ, 'create configmaps'], withholds: [...SPEND, ...LOGS] },
    { role: 'admin', gives: [...READ, 'create configmaps'], withholds: [...SPEND, ...LOGS] },
  ];
  for (const { role, gives, withholds } of ROLES)
    it(`${role} in a namespace gives what it says, and only there`, async () => {
      const person = await personWith(role, ['-n', namespace, 'create', 'rolebinding']);
      for (const question of gives) {
        await eventually(`${role} may ${question}`, () => may(person, question, namespace), 10_000);
        assert.equal(await may(person, question, 'default'), false, `${question} elsewhere`);
      }
      for (const question of withholds) assert.equal(await may(person, question, namespace), false, question);
    });

  it('only sky-admin may change a SkyCloud', async () => {
    const change = ['create', 'update', 'patch', 'delete'].map((verb) => ours(`${verb} skyclouds`));
    const read = ['get', 'list', 'watch'].map((verb) => ours(`${verb} skyclouds`));
    for (const role of ['sky-view', 'sky-edit', 'sky-admin']) {
      const person = await personWith(role, ['create', 'clusterrolebinding']);
      for (const question of read) await eventually(`${role} may ${question}`, () => may(person, question), 10_000);
      for (const question of change)
        assert.equal(await may(person, question), role === 'sky-admin', `${role}: ${question}`);
    }
  });

  it('sky-edit is enough to run the samples', async () => {
    const person = await personWith('sky-edit', ['-n', namespace, 'create', 'rolebinding']);
    const kubeconfig = await (await controlPlane()).kubeconfigFor(person);
    const apply = ['--kubeconfig', kubeconfig, '-n', namespace, 'apply', '-f', join(DEPLOY, 'samples/skyjob.yaml')];
    await eventually('the sample is accepted', async () => (await kubectl(apply)).code === 0, 10_000);
    await run(['-n', namespace, 'delete', 'skyjobs', '--all']);
  });

  let people = 0;

  async function personWith(role: string, createBinding: readonly string[]): Promise<{ user: string }> {
    const user = `person-${process.pid}-${people++}`;
    await run([...createBinding, user, `--clusterrole=${role}`, `--user=${user}`]);
    return { user };
  }
});

/** `get skyjobs` in our group. */
function ours(question: string): string {
  return `${question}.sky-operator.dev`;
}

interface RulesReview {
  readonly status: {
    readonly incomplete: boolean;
    readonly resourceRules: readonly {
      verbs: string[];
      apiGroups: string[];
      resources: string[];
      resourceNames?: string[];
    }[];
  };
}

async function rightsOf(kubeconfig: string, namespace: string): Promise<Rights> {
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } };
  const answer = await run(
    ['--kubeconfig', kubeconfig, 'create', '--validate=false', '-o', 'json', '-f', '-'],
    JSON.stringify(review),
  );
  const { resourceRules } = (JSON.parse(answer) as RulesReview).status;
  const rights: Record<string, string[]> = {};
  for (const { verbs, apiGroups, resources } of resourceRules)
    for (const key of apiGroups.flatMap((group) =>
      resources.map((resource) => (group ? `${resource}.${group}` : resource)),
    ))
      rights[key] = [...(rights[key] ?? []), ...verbs];
  return sorted(rights);
}

function sorted(rights: Rights): Rights {
  const entries = Object.entries(rights).map(([key, verbs]) => [key, [...new Set(verbs)].toSorted()] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
