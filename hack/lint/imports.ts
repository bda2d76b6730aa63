/** Imports point one way. Fails on an arrow against the plan, on a cycle, and when it looked at no module at all. */
import { join } from 'node:path';
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';

const root = join(import.meta.dirname, '../..');

/** What each room of src may import from. Every room may use api, and the small files beside the rooms. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  api: [],
  kube: ['api'],
  catalog: ['api'],
  optimizer: ['api', 'catalog'],
  clouds: ['api'],
  provision: ['api'],
  remote: ['api'],
  jobs: ['api', 'provision'],
  cloudsim: [],
  controllers: ['api', 'kube', 'catalog', 'optimizer', 'clouds', 'provision', 'remote', 'jobs'],
  server: ['api', 'kube', 'controllers'],
  cli: ['api', 'kube', 'catalog', 'optimizer', 'server'],
};
const ROOMS = Object.keys(MAY_IMPORT);
const BESIDE = '^src/(clock|log|config|redact)\\.ts$';

/** The API of a cloud's fake is spoken by the simulator; no provider may know either. */
const FAKE = '^src/clouds/[a-z0-9-]+/fake/';

const arrows: IForbiddenRuleType[] = Object.entries(MAY_IMPORT).map(([room, allowed]) => ({
  name: `${room}-points-down`,
  severity: 'error',
  from: { path: `^src/${room}/`, pathNot: FAKE },
  // A type of another room's door costs nothing at run time and ties no knot.
  to: {
    path: `^src/(${ROOMS.filter((other) => other !== room && !allowed.includes(other)).join('|')})/`,
    dependencyTypesNot: ['type-only'],
  },
}));

const forbidden: IForbiddenRuleType[] = [
  ...arrows,
  {
    name: 'fakes-know-their-cloud-and-the-simulator',
    severity: 'error',
    from: { path: FAKE },
    to: { path: '^src/', pathNot: '^src/(clouds|cloudsim)/' },
  },
  {
    name: 'nothing-real-knows-a-fake',
    severity: 'error',
    from: { path: '^src/', pathNot: FAKE },
    to: { path: FAKE },
  },
  {
    name: 'no-cycle',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'sdk-only-in-its-cloud',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/clouds/' },
    to: { path: 'node_modules/(@aws-sdk|google-auth-library)' },
  },
  {
    name: 'deciders-do-no-io',
    severity: 'error',
    from: { path: '^src/(optimizer|provision|jobs)/' },
    to: { path: '^(node:)?(fs|net|http|https|child_process|dns|tls)', dependencyTypes: ['core'] },
  },
  {
    name: 'rooms-know-no-main',
    severity: 'error',
    from: { path: `^src/(${ROOMS.join('|')})/` },
    to: { path: '^src/[^/]+\\.ts$', pathNot: BESIDE },
  },
];

const { output } = await cruise(['src'], {
  ruleSet: { forbidden },
  parser: 'swc',
  doNotFollow: { path: 'node_modules' },
  tsPreCompilationDeps: true,
  baseDir: root,
  validate: true,
});
const { summary } = output as ICruiseResult;
for (const { rule, from, to } of summary.violations) console.error(`${rule.name}: ${from} → ${to}`);
if (summary.totalCruised === 0) console.error('imports: no module was looked at');
console.log(
  `imports: ${summary.totalCruised} modules, ${summary.totalDependenciesCruised ?? 0} dependencies, ${summary.violations.length} violations`,
);
process.exitCode = summary.violations.length > 0 || summary.totalCruised === 0 ? 1 : 0;
