// Made by `npm run gen` from src/api/schema; do not edit.
import type { KubeObject } from './object.ts';

/**
 * US dollars as a decimal string, for example "12.50".
 */
export type Money = string;
/**
 * RFC 3339 time.
 */
export type Time = string;
/**
 * Observations, sorted by type with Ready last.
 *
 * @maxItems 24
 */
export type Conditions = Condition[];
/**
 * Name of an object in the same namespace.
 */
export type LocalName = string;
/**
 * Environment variables.
 *
 * @maxItems 256
 */
export type Env = EnvVar[];
/**
 * Files brought to every node before setup.
 *
 * @maxItems 64
 */
export type Files = FileSource[];
/**
 * Shell script, at most 256 KiB. A first line starting with #! chooses the interpreter; else bash where it exists.
 */
export type Script = string;

/**
 * The open intent to rent machines, written before anything is called.
 */
export interface Attempt {
  /**
   * Number of the attempt, never reused.
   */
  ordinal: number;
  /**
   * All slots, lost slots, or added slots.
   */
  purpose: 'Gang' | 'Replace' | 'Grow';
  /**
   * The one place that is tried.
   */
  placement: Placement;
  /**
   * Account id proved when the intent was written.
   */
  account: string;
  /**
   * Slots as ranges, "0-7" or "0,4-6".
   */
  slots: string;
  /**
   * Idempotency token of the launch.
   */
  token: string;
  /**
   * Beginning of every machine's name.
   */
  namePrefix: string;
  /**
   * Values looked up once; a retry uses them.
   */
  resolved?: {
    /**
     * Value.
     */
    [k: string]: string;
  };
  /**
   * Hash of the complete launch request.
   */
  requestHash: string;
  /**
   * Leadership epoch of the writer.
   */
  epoch: number;
  /**
   * Start id of the writing process.
   */
  process?: string;
  /**
   * When the intent was made.
   */
  startedAt: Time;
  /**
   * When it is given up unless all machines run.
   */
  deadline: Time;
}
/**
 * One place at one price.
 */
export interface Placement {
  /**
   * Cloud, region and zone as one text, for columns.
   */
  infra?: string;
  /**
   * Name of the SkyCloud.
   */
  cloud?: string;
  /**
   * Region.
   */
  region?: string;
  /**
   * Zone, where the cloud has zones.
   */
  zone?: string;
  /**
   * Instance type.
   */
  instanceType?: string;
  /**
   * Market the machines are bought on.
   */
  market?: 'on-demand' | 'spot' | 'reserved';
  /**
   * USD per hour of all nodes together.
   */
  hourlyPrice?: Money;
  /**
   * Accelerators of each node, "NAME:COUNT".
   */
  accelerators?: string;
}
/**
 * A held or closed attempt.
 */
export interface AttemptRecord {
  /**
   * Number of the attempt.
   */
  ordinal: number;
  /**
   * Gang, Replace or Grow.
   */
  purpose?: string;
  /**
   * The place that was tried.
   */
  placement?: Placement;
  /**
   * Account id.
   */
  account?: string;
  /**
   * Slots.
   */
  slots?: string;
  /**
   * Beginning of every machine's name.
   */
  namePrefix?: string;
  /**
   * Hash of the launch request.
   */
  requestHash?: string;
  /**
   * When it began.
   */
  startedAt?: Time;
  /**
   * When it was closed.
   */
  endedAt?: Time;
  /**
   * How it ended.
   */
  outcome:
    | 'Held'
    | 'NotStarted'
    | 'ProvenAbsent'
    | 'PartialGang'
    | 'TimedOut'
    | 'Unreachable'
    | 'Cancelled'
    | 'Preempted'
    | 'Lost'
    | 'Stopped'
    | 'Terminated'
    | 'Superseded';
  /**
   * CamelCase cause.
   */
  reason?: string;
  /**
   * Cause in words.
   */
  message?: string;
}
/**
 * One place that could serve the request.
 */
export interface Candidate {
  /**
   * Cloud, region and zone.
   */
  infra?: string;
  /**
   * Instance type.
   */
  instanceType?: string;
  /**
   * Market.
   */
  market?: string;
  /**
   * Nodes.
   */
  nodes?: number;
  /**
   * USD per hour of all nodes.
   */
  hourlyPrice?: Money;
}
/**
 * One machine of the cluster.
 */
export interface ClusterNode {
  /**
   * Position in the cluster.
   */
  slot: number;
  /**
   * Attempt that rented it.
   */
  attempt: number;
  /**
   * The cloud's id of the machine.
   */
  id: string;
  /**
   * State in the cloud.
   */
  state: string;
  /**
   * Address inside the cloud.
   */
  privateIp?: string;
  /**
   * Address outside.
   */
  publicIp?: string;
  /**
   * Port of sshd.
   */
  sshPort?: number;
  /**
   * Login name.
   */
  sshUser?: string;
  /**
   * Pinned SHA256 fingerprint of the host key.
   */
  hostKeyFingerprint?: string;
  /**
   * When it began to be billed.
   */
  startedAt?: Time;
  /**
   * The cloud may take it back.
   */
  interruptible?: boolean;
}
/**
 * One observation about the object, in the form of metav1.Condition.
 */
export interface Condition {
  /**
   * What the condition is about.
   */
  type: string;
  /**
   * Whether it holds.
   */
  status: 'True' | 'False' | 'Unknown';
  /**
   * Generation of the spec it was computed from.
   */
  observedGeneration?: number;
  /**
   * When status last changed.
   */
  lastTransitionTime: Time;
  /**
   * CamelCase cause.
   */
  reason: string;
  /**
   * What is so, why, and what happens next or what to do.
   */
  message: string;
}
/**
 * Accumulated cost. What is spent now is total plus ratePerHour times the hours since `since`.
 */
export interface Cost {
  /**
   * USD spent up to `since`.
   */
  total?: Money;
  /**
   * USD per hour being spent since then.
   */
  ratePerHour?: Money;
  /**
   * When total was last settled.
   */
  since?: Time;
}
/**
 * One environment variable.
 */
export interface EnvVar {
  /**
   * Name of the variable.
   */
  name: string;
  /**
   * Literal value, without NUL.
   */
  value?: string;
  /**
   * Where the value comes from.
   */
  valueFrom?: {
    /**
     * Key of a Secret in the same namespace.
     */
    secretKeyRef?: KeyRef;
    /**
     * Key of a ConfigMap in the same namespace.
     */
    configMapKeyRef?: KeyRef;
  };
}
/**
 * One key of an object in the same namespace.
 */
export interface KeyRef {
  /**
   * Name of the object.
   */
  name: LocalName;
  /**
   * Key inside it.
   */
  key: string;
  /**
   * If true, a missing object or key leaves the variable unset. Default false.
   */
  optional?: boolean;
}
/**
 * What is not tried until it expires. An absent key matches everything.
 */
export interface Exclusion {
  /**
   * Name of the SkyCloud.
   */
  cloud?: string;
  /**
   * Region.
   */
  region?: string;
  /**
   * Zone.
   */
  zone?: string;
  /**
   * Instance type; a trailing * matches a prefix.
   */
  instanceType?: string;
  /**
   * Accelerators.
   */
  accelerators?: string;
  /**
   * Market.
   */
  market?: string;
  /**
   * CamelCase cause.
   */
  reason: string;
  /**
   * When it may be tried again.
   */
  expiresAt: Time;
}
/**
 * One file or folder brought to every node. Exactly one source.
 */
export interface FileSource {
  /**
   * Target: absolute, "~/…", or relative to ~/sky_workdir.
   */
  path: string;
  /**
   * Content of the file.
   */
  inline?: string;
  /**
   * A ConfigMap whose keys become files.
   */
  configMapRef?: ObjectRef;
  /**
   * A Secret whose keys become files of mode 0600.
   */
  secretRef?: ObjectRef;
  /**
   * https address fetched by each node; needs sha256.
   */
  url?: string;
  /**
   * SHA-256 of what url serves.
   */
  sha256?: string;
  /**
   * A git repository cloned by each node.
   */
  git?: GitSource;
  /**
   * An object-store bucket.
   */
  bucket?: {
    /**
     * For example s3://name/prefix.
     */
    uri: string;
    /**
     * Copy before setup, or Mount. Default Copy.
     */
    mode?: 'Copy' | 'Mount';
    /**
     * Secret with the bucket's credentials.
     */
    secretRef?: ObjectRef;
  };
  /**
   * Octal file mode. Default 0644.
   */
  mode?: string;
}
/**
 * An object of the same namespace.
 */
export interface ObjectRef {
  /**
   * Name of the object.
   */
  name: LocalName;
}
/**
 * A git repository.
 */
export interface GitSource {
  /**
   * Address of the repository.
   */
  url: string;
  /**
   * Branch, tag or commit. Default HEAD.
   */
  ref?: string;
  /**
   * Secret with a token or key.
   */
  secretRef?: ObjectRef;
}
/**
 * One gang start of the job.
 */
export interface JobAttempt {
  /**
   * Number of the run attempt.
   */
  ordinal: number;
  /**
   * Where it ran.
   */
  placement?: Placement;
  /**
   * Slots of the cluster that it used.
   */
  slots?: string;
  /**
   * Machines by rank; the attempt is bound to exactly these.
   *
   * @maxItems 1000
   *
   * Items: The cloud's id of the machine.
   */
  nodeIds?: string[];
  /**
   * Leadership epoch of the writer.
   */
  epoch?: number;
  /**
   * When it began.
   */
  startedAt?: Time;
  /**
   * When it was closed.
   */
  endedAt?: Time;
  /**
   * Exit code by rank.
   */
  exitCodes?: {
    /**
     * Exit code.
     */
    [k: string]: number;
  };
  /**
   * Why it is being ended, before it is closed.
   */
  cause?: string;
  /**
   * CamelCase cause.
   */
  reason?: string;
  /**
   * Cause in words.
   */
  message?: string;
}
/**
 * A label selector.
 */
export interface LabelSelector {
  /**
   * Labels that must have exactly these values.
   */
  matchLabels?: {
    /**
     * Value.
     */
    [k: string]: string;
  };
  /**
   * Requirements that must all hold.
   *
   * @maxItems 64
   *
   * Items: One requirement.
   */
  matchExpressions?: {
    /**
     * Label key.
     */
    key: string;
    /**
     * How to compare.
     */
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    /**
     * Values for In and NotIn.
     *
     * @maxItems 64
     *
     * Items: Value.
     */
    values?: string[];
  }[];
}
/**
 * What would be taken, at which price, and why the rest was not.
 */
export interface Plan {
  /**
   * The first choice.
   */
  chosen?: Candidate;
  /**
   * The head of the ranking.
   *
   * @maxItems 10
   */
  candidates?: Candidate[];
  /**
   * Offerings left out, counted by reason.
   */
  rejected?: {
    /**
     * Count.
     */
    [k: string]: number;
  };
  /**
   * Hash of the catalogs that were read.
   */
  catalogHash?: string;
}
/**
 * One alternative; it inherits every field it does not set from the request that lists it.
 */
export interface ResourceAlternative {
  /**
   * Where: "CLOUD[/REGION[/ZONE]]", "*" leaves a segment open; "k8s/CONTEXT", "ssh/POOL". Exclusive with cloud, region, zone.
   */
  infra?: string;
  /**
   * Provider word or name of a SkyCloud. Default any.
   */
  cloud?: string;
  /**
   * Region. Default any.
   */
  region?: string;
  /**
   * Zone. Default any.
   */
  zone?: string;
  /**
   * Exact instance type, case-sensitive. Default any.
   */
  instanceType?: string;
  /**
   * vCPUs per node: 8 for exactly, "8+" for at least. Default "8+" where nothing else is asked.
   */
  cpus?: number | string;
  /**
   * Memory per node in GiB: 32, "32+", or with a unit "64GB". Default 4 GiB per vCPU where nothing else is asked.
   */
  memory?: number | string;
  /**
   * NAME, NAME:COUNT ("A100:8") or by memory of one device [VENDOR:]SIZE[+][:COUNT] ("80GB+:2"). Default none.
   */
  accelerators?: string;
  /**
   * Buy on the spot market. Default false; two anyOf items offer both.
   */
  useSpot?: boolean;
  /**
   * Boot disk in GiB. Default 256.
   */
  diskSize?: number;
  /**
   * Speed of the boot disk. Default the cloud's ordinary disk.
   */
  diskTier?: 'low' | 'medium' | 'high' | 'ultra' | 'best';
  /**
   * Network between nodes. Default standard.
   */
  networkTier?: 'standard' | 'best';
  /**
   * Tags on the machines of this alternative, merged over spec.cloudLabels.
   */
  labels?: {
    /**
     * Value of the tag.
     */
    [k: string]: string;
  };
}
/**
 * What each node must have. All fields are optional.
 */
export interface ResourceRequest {
  /**
   * Where: "CLOUD[/REGION[/ZONE]]", "*" leaves a segment open; "k8s/CONTEXT", "ssh/POOL". Exclusive with cloud, region, zone.
   */
  infra?: string;
  /**
   * Provider word or name of a SkyCloud. Default any.
   */
  cloud?: string;
  /**
   * Region. Default any.
   */
  region?: string;
  /**
   * Zone. Default any.
   */
  zone?: string;
  /**
   * Exact instance type, case-sensitive. Default any.
   */
  instanceType?: string;
  /**
   * vCPUs per node: 8 for exactly, "8+" for at least. Default "8+" where nothing else is asked.
   */
  cpus?: number | string;
  /**
   * Memory per node in GiB: 32, "32+", or with a unit "64GB". Default 4 GiB per vCPU where nothing else is asked.
   */
  memory?: number | string;
  /**
   * NAME, NAME:COUNT ("A100:8") or by memory of one device [VENDOR:]SIZE[+][:COUNT] ("80GB+:2"). Default none.
   */
  accelerators?: string;
  /**
   * Buy on the spot market. Default false; two anyOf items offer both.
   */
  useSpot?: boolean;
  /**
   * Boot disk in GiB. Default 256.
   */
  diskSize?: number;
  /**
   * Speed of the boot disk. Default the cloud's ordinary disk.
   */
  diskTier?: 'low' | 'medium' | 'high' | 'ultra' | 'best';
  /**
   * Network between nodes. Default standard.
   */
  networkTier?: 'standard' | 'best';
  /**
   * Tags on the machines of this alternative, merged over spec.cloudLabels.
   */
  labels?: {
    /**
     * Value of the tag.
     */
    [k: string]: string;
  };
  /**
   * Alternatives; the cheapest of all wins. Exclusive with ordered.
   *
   * @minItems 1
   * @maxItems 16
   */
  anyOf?: ResourceAlternative[];
  /**
   * Alternatives in order; the first that can be had wins. Exclusive with anyOf.
   *
   * @minItems 1
   * @maxItems 16
   */
  ordered?: ResourceAlternative[];
}
/**
 * The account and how it may be used.
 */
export interface SkyCloudSpec {
  /**
   * Kind of cloud, for example aws, gcp, lambda, fluffycloud. Immutable.
   */
  provider: string;
  /**
   * Secret in the operator's own namespace. Absent means the ambient identity.
   */
  credentialsSecretRef?: ObjectRef;
  /**
   * Regions where machines may be launched. Default all. Removing one never touches what runs there.
   *
   * @maxItems 64
   *
   * Items: Region.
   */
  regions?: string[];
  /**
   * Which namespaces may spend with this account.
   */
  allowedNamespaces: {
    /**
     * All namespaces, or those that selector matches.
     */
    from: 'All' | 'Selector';
    /**
     * Labels of the namespaces.
     */
    selector?: LabelSelector;
  };
  /**
   * Where offerings and prices come from.
   */
  catalog?: {
    /**
     * Kind of source. Default Builtin.
     */
    source?: 'Builtin' | 'ConfigMap' | 'URL' | 'Provider';
    /**
     * ConfigMap in the operator's namespace with key catalog.csv.
     */
    configMapRef?: ObjectRef;
    /**
     * https address of a CSV, optionally ending in #sha256=<64 hex>.
     */
    url?: string;
    /**
     * Seconds between refreshes. Default 25200.
     */
    refreshIntervalSeconds?: number;
  };
  /**
   * Tie-break among equal cost, higher first. Default 0.
   */
  priority?: number;
  /**
   * Hard brakes, enforced before each launch.
   */
  limits?: {
    /**
     * Machines at the same time. Default no limit.
     */
    maxNodes?: number;
    /**
     * USD per hour of all machines. Default no limit.
     */
    maxHourlyPrice?: Money;
  };
  /**
   * Address of a private or simulated cloud; https unless the operator allows the host.
   */
  endpoint?: string;
  /**
   * Out-of-process provider.
   */
  plugin?: {
    /**
     * Address of the plugin.
     */
    address: string;
    /**
     * Secret with the TLS identity.
     */
    tlsSecretRef?: ObjectRef;
  };
  /**
   * Settings of this provider, checked by its own schema.
   */
  config?: {
    [k: string]: unknown;
  };
  /**
   * Machines end themselves when no operator was heard for this long. Default 21600.
   */
  deadManSeconds?: number;
  /**
   * No launches; running machines are not touched. Default false.
   */
  suspend?: boolean;
}
/**
 * What was found about the account.
 */
export interface SkyCloudStatus {
  /**
   * Observations about the account.
   */
  conditions?: Conditions;
  /**
   * Generation that was last looked at.
   */
  observedGeneration?: number;
  /**
   * The account that the credential belongs to.
   */
  account?: {
    /**
     * The cloud's id of it.
     */
    id?: string;
    /**
     * A name for people.
     */
    display?: string;
  };
  /**
   * The catalog in use.
   */
  catalog?: {
    /**
     * Offerings.
     */
    rows?: number;
    /**
     * Distinct instance types.
     */
    instanceTypes?: number;
    /**
     * Distinct accelerator names.
     */
    accelerators?: number;
    /**
     * Distinct regions.
     */
    regions?: number;
    /**
     * SHA-256 of the canonical rows.
     */
    hash?: string;
    /**
     * When it was last read.
     */
    refreshedAt?: Time;
  };
  /**
   * Machines of this installation in the account.
   */
  nodes?: {
    /**
     * Running.
     */
    running?: number;
    /**
     * Starting.
     */
    pending?: number;
    /**
     * Stopped.
     */
    stopped?: number;
  };
  /**
   * USD per hour of all machines.
   */
  hourlyPrice?: Money;
  /**
   * Offerings that are not tried for now.
   */
  exclusions?: {
    /**
     * How many.
     */
    count?: number;
    /**
     * When the first of them ends.
     */
    soonestExpiry?: Time;
  };
  /**
   * Machines that no object accounts for.
   */
  orphans?: number;
}
/**
 * The machines that are wanted.
 */
export interface SkyClusterSpec {
  /**
   * Machines, all or nothing, in one placement. Default 1.
   */
  numNodes?: number;
  /**
   * What each node must have. Default at least 8 vCPUs.
   */
  resources?: ResourceRequest;
  /**
   * Objective. Default Cost.
   */
  optimize?: 'Cost' | 'Time';
  /**
   * A placement above this, all nodes together, is not a candidate. USD per hour.
   */
  maxHourlyPrice?: Money;
  /**
   * Stop when this much was spent.
   */
  budget?: {
    /**
     * USD accumulated.
     */
    maxTotal: Money;
    /**
     * What happens then. Default Stop.
     */
    action?: 'Stop' | 'Delete';
  };
  /**
   * Runs on every node before Ready; again only when it or files changed.
   */
  setup?: Script;
  /**
   * Environment of setup and of jobs on this cluster.
   */
  env?: Env;
  /**
   * Files brought to every node.
   */
  files?: Files;
  /**
   * Content of ~/sky_workdir.
   */
  workdir?: Workdir;
  /**
   * Ports opened in the cloud's firewall: "80" or "8000-8010".
   *
   * @maxItems 32
   *
   * Items: A port or a range.
   */
  ports?: string[];
  /**
   * Image of the machines, or "docker:REF". Default the cloud's own.
   */
  image?: string;
  /**
   * Image by region, where ids differ. Exclusive with image.
   *
   * @maxItems 64
   *
   * Items: Image of one region.
   */
  regionImages?: {
    /**
     * Region.
     */
    region: string;
    /**
     * Image id there.
     */
    id: string;
  }[];
  /**
   * Give machines back when nobody uses them.
   */
  autostop?: {
    /**
     * Minutes without use. To stop now delete the cluster.
     */
    idleMinutes: number;
    /**
     * What happens then. Default Stop.
     */
    action?: 'Stop' | 'Delete';
    /**
     * What counts as use. Default JobsAndSSH.
     */
    waitFor?: 'JobsAndSSH' | 'Jobs' | 'None';
  };
  /**
   * Stop the machines and keep their disks. Default false.
   */
  suspend?: boolean;
  /**
   * How machines are obtained.
   */
  provisioning?: {
    /**
     * Plan only fills status.plan and rents nothing. Default Launch.
     */
    mode?: 'Launch' | 'Plan';
    /**
     * Keep trying when no place has room. Default false; true for the cluster of a job.
     */
    retryUntilUp?: boolean;
    /**
     * Seconds for one place until all machines run. Default 900.
     */
    attemptTimeoutSeconds?: number;
    /**
     * Seconds after which it is given up. Default never.
     */
    deadlineSeconds?: number;
    /**
     * Seconds for running machines to answer. Default 600.
     */
    sshTimeoutSeconds?: number;
  };
  /**
   * What a lost node of a Ready cluster leads to.
   */
  replacement?: {
    /**
     * Replace the node, all of them, or nothing. Default ReplaceNode.
     */
    strategy?: 'ReplaceNode' | 'Relaunch' | 'None';
    /**
     * Lost nodes at once that are still replaced one by one. Default no limit.
     */
    maxUnhealthy?: number;
  };
  /**
   * Access for people.
   */
  ssh?: {
    /**
     * Login name. Default the image's.
     */
    user?: string;
    /**
     * Public keys that may log in.
     *
     * @maxItems 32
     *
     * Items: One OpenSSH public key.
     */
    authorizedKeys?: string[];
    /**
     * Give machines a public address. Default where the cloud needs one.
     */
    publicIp?: boolean;
  };
  /**
   * Tags on the machines, checked against each cloud's grammar.
   */
  cloudLabels?: {
    /**
     * Value of the tag.
     */
    [k: string]: string;
  };
  /**
   * Engines started on the nodes.
   */
  runtime?: {
    /**
     * A Ray cluster over the nodes.
     */
    ray?: {
      /**
       * Version to install.
       */
      version?: string;
    };
  };
  /**
   * Whether deletion gives machines back or leaves them. Default Delete.
   */
  deletionPolicy?: 'Delete' | 'Orphan';
}
/**
 * What ~/sky_workdir holds. Exactly one source.
 */
export interface Workdir {
  /**
   * A git repository.
   */
  git?: GitSource;
  /**
   * A ConfigMap whose keys become files.
   */
  configMapRef?: ObjectRef;
}
/**
 * What was observed, and the intent that is open.
 */
export interface SkyClusterStatus {
  /**
   * Observations about the cluster.
   */
  conditions?: Conditions;
  /**
   * Generation that was last looked at.
   */
  observedGeneration?: number;
  /**
   * For display only.
   */
  phase?:
    | 'Pending'
    | 'Planning'
    | 'Provisioning'
    | 'SettingUp'
    | 'Ready'
    | 'Degraded'
    | 'Stopping'
    | 'Stopped'
    | 'Terminating'
    | 'Failed';
  /**
   * The last plan.
   */
  plan?: Plan;
  /**
   * Where the machines are or are being rented.
   */
  placement?: Placement;
  /**
   * The open intent.
   */
  attempt?: Attempt;
  /**
   * Attempts, newest first.
   *
   * @maxItems 20
   */
  attempts?: AttemptRecord[];
  /**
   * Machines, by slot.
   *
   * @maxItems 1000
   */
  nodes?: ClusterNode[];
  /**
   * Ready of wanted nodes, "2/4".
   */
  readyNodes?: string;
  /**
   * Machines that are there.
   */
  numNodes?: number;
  /**
   * Where opened ports are reached from outside.
   *
   * @maxItems 64
   *
   * Items: One opened port.
   */
  endpoints?: {
    /**
     * Port on the machine.
     */
    port?: number;
    /**
     * Slot.
     */
    slot?: number;
    /**
     * Address from outside.
     */
    url?: string;
  }[];
  /**
   * Ports that the machines were launched with, or that were opened since.
   *
   * @maxItems 32
   *
   * Items: A port or a range.
   */
  openPorts?: string[];
  /**
   * When the next try is made.
   */
  nextAttemptTime?: Time;
  /**
   * What is not tried for now.
   *
   * @maxItems 64
   */
  exclusions?: Exclusion[];
  /**
   * What it cost.
   */
  cost?: Cost;
  /**
   * Since when nobody uses it.
   */
  idleSince?: Time;
  /**
   * Commit that workdir was pinned to.
   */
  workdirCommit?: string;
  /**
   * Hash of the setup that all nodes ran.
   */
  setupHash?: string;
  /**
   * Last relaunch request that was acted on.
   */
  relaunchHandled?: string;
  /**
   * Selector for the scale subresource.
   */
  selector?: string;
  /**
   * Leadership epoch of the last writer.
   */
  epoch?: number;
}
/**
 * The work and where it runs.
 */
export interface SkyJobSpec {
  /**
   * Existing SkyCluster on which the job is queued. Exclusive with cluster.
   */
  clusterRef?: ObjectRef;
  /**
   * Machines that are rented for this job and given back after it.
   */
  cluster?: SkyClusterSpec;
  /**
   * Nodes of the job. Default all of the cluster.
   */
  numNodes?: number;
  /**
   * Runs on the job's nodes before run.
   */
  setup?: Script;
  /**
   * Executed on every node as a process of its own; its exit code is the result.
   */
  run?: Script;
  /**
   * Environment of setup and run.
   */
  env?: Env;
  /**
   * Files brought to the job's nodes.
   */
  files?: Files;
  /**
   * Content of ~/sky_workdir.
   */
  workdir?: Workdir;
  /**
   * Share of each node on a shared cluster, "A100:0.5". Default all.
   */
  accelerators?: string;
  /**
   * Place in the cluster's queue, higher first. Default 0.
   */
  priority?: number;
  /**
   * What happens when machines or the work fail.
   */
  recovery?: {
    /**
     * Where to go after a machine was lost. Default EagerNextRegion.
     */
    strategy?: 'EagerNextRegion' | 'Failover' | 'None';
    /**
     * Lost machines that are tolerated. Default no limit.
     */
    maxRecoveries?: number;
    /**
     * Failures of the work that are tolerated. Default 0.
     */
    maxRestartsOnErrors?: number;
    /**
     * Exit codes that are treated as a lost machine.
     *
     * @maxItems 64
     *
     * Items: Exit code.
     */
    recoverOnExitCodes?: number[];
  };
  /**
   * The same as recovery.maxRestartsOnErrors.
   */
  backoffLimit?: number;
  /**
   * Rules for non-zero exit codes; the first match wins.
   */
  failurePolicy?: {
    /**
     * The rules.
     *
     * @maxItems 20
     *
     * Items: One rule.
     */
    rules?: {
      /**
       * End the job, restart without counting, or count.
       */
      action: 'FailJob' | 'Ignore' | 'Count';
      /**
       * Which codes the rule is about.
       */
      onExitCodes: {
        /**
         * How to compare.
         */
        operator: 'In' | 'NotIn';
        /**
         * Exit codes.
         *
         * @minItems 1
         * @maxItems 255
         *
         * Items: Exit code.
         */
        values: number[];
      };
    }[];
  };
  /**
   * Seconds of running after which it fails. Default never.
   */
  activeDeadlineSeconds?: number;
  /**
   * Seconds to get to run after which it fails. Default never.
   */
  startDeadlineSeconds?: number;
  /**
   * Finish in time as cheaply as possible on spot and on-demand.
   */
  deadline?: {
    /**
     * Seconds from creation.
     */
    finishWithinSeconds: number;
    /**
     * Seconds the work takes.
     */
    expectedRuntimeSeconds: number;
    /**
     * Seconds lost by a restart. Default 0.
     */
    restartOverheadSeconds?: number;
  };
  /**
   * How the work saves its progress.
   */
  checkpoint?: {
    /**
     * Absolute path of the checkpoints.
     */
    path?: string;
    /**
     * Signal that asks for one. Default TERM.
     */
    signal?: 'TERM' | 'INT' | 'USR1' | 'USR2';
    /**
     * Seconds between signal and kill. Default 30.
     */
    graceSeconds?: number;
    /**
     * Seconds between checkpoints. Default none.
     */
    intervalSeconds?: number;
  };
  /**
   * Seconds after which a finished job is deleted. Default never.
   */
  ttlSecondsAfterFinished?: number;
  /**
   * True at creation: nothing happens; later: everything is stopped and given back. Default false.
   */
  suspend?: boolean;
  /**
   * Ends the job as Failed, Cancelled, and keeps its record. Once true it stays true.
   */
  cancel?: boolean;
  /**
   * Indexes of an array. Default 1.
   */
  completions?: number;
  /**
   * Indexes at the same time. Default 1.
   */
  parallelism?: number;
  /**
   * Stages of a pipeline. Exclusive with run.
   *
   * @minItems 1
   * @maxItems 64
   */
  tasks?: Stage[];
  /**
   * Give the job's own machines back at its end. Default true.
   */
  shutdownAfterJobFinishes?: boolean;
  /**
   * Seconds between SIGTERM and SIGKILL. Default 30.
   */
  terminationGracePeriodSeconds?: number;
  /**
   * Controller of this job. Default sky-operator.dev/operator. Immutable.
   */
  managedBy?: string;
}
/**
 * One stage of a pipeline.
 */
export interface Stage {
  /**
   * Name of the stage.
   */
  name: string;
  /**
   * Stages that must have succeeded before.
   *
   * @maxItems 64
   *
   * Items: Name of a stage.
   */
  dependsOn?: string[];
  /**
   * Machines of the stage.
   */
  cluster?: SkyClusterSpec;
  /**
   * Runs before run.
   */
  setup?: Script;
  /**
   * The work.
   */
  run?: Script;
  /**
   * Environment of the stage.
   */
  env?: Env;
  /**
   * Data read from object stores.
   *
   * @maxItems 16
   *
   * Items: One input.
   */
  inputs?: {
    /**
     * Where it lies.
     */
    uri: string;
    /**
     * Size in GiB.
     */
    sizeGiB?: number;
  }[];
  /**
   * Size of what the stage hands on in GiB. Default 0.
   */
  outputGiB?: number;
}
/**
 * What was observed of the job.
 */
export interface SkyJobStatus {
  /**
   * Observations about the job.
   */
  conditions?: Conditions;
  /**
   * Generation that was last looked at.
   */
  observedGeneration?: number;
  /**
   * Where it stands.
   */
  phase?:
    | 'Pending'
    | 'Planning'
    | 'Provisioning'
    | 'SettingUp'
    | 'Running'
    | 'Recovering'
    | 'Cancelling'
    | 'Succeeded'
    | 'Failed';
  /**
   * UserError, SetupFailed, Preempted, NoCapacity, NoQuota, InvalidInput, DeadlineExceeded, BudgetExceeded, NodeLost or Cancelled.
   */
  reason?: string;
  /**
   * Cluster that it runs on.
   */
  clusterName?: string;
  /**
   * Cloud, region and zone.
   */
  infra?: string;
  /**
   * The same over every recovery and restart.
   */
  taskId?: string;
  /**
   * Run attempts, newest first.
   *
   * @maxItems 20
   */
  attempts?: JobAttempt[];
  /**
   * Attempts lost with their machines.
   */
  recoveries?: number;
  /**
   * Attempts that failed by themselves and were counted.
   */
  restarts?: number;
  /**
   * For columns: recoveries and restarts.
   */
  restartsSummary?: string;
  /**
   * Ranks of the current attempt.
   *
   * @maxItems 1000
   *
   * Items: One rank.
   */
  nodes?: {
    /**
     * Rank.
     */
    rank: number;
    /**
     * Slot of the cluster.
     */
    slot?: number;
    /**
     * Indexes of its accelerators.
     */
    gpus?: string;
    /**
     * Pending, SettingUp, Running, Exited, Killed, Unreachable or Lost.
     */
    state?: string;
    /**
     * Exit code.
     */
    exitCode?: number;
  }[];
  /**
   * Stages of a pipeline.
   *
   * @maxItems 64
   *
   * Items: One stage.
   */
  stages?: {
    /**
     * Stage.
     */
    name: string;
    /**
     * Its SkyJob.
     */
    job?: string;
    /**
     * Where it stands.
     */
    phase?: string;
  }[];
  /**
   * Last complete checkpoint.
   */
  lastCheckpointTime?: Time;
  /**
   * When it first ran.
   */
  startTime?: Time;
  /**
   * When it ended.
   */
  completionTime?: Time;
  /**
   * From start to end.
   */
  duration?: string;
  /**
   * Last lines of the deciding rank.
   */
  logTail?: string;
  /**
   * What it cost.
   */
  cost?: Cost;
  /**
   * When the next try is made.
   */
  nextAttemptTime?: Time;
  /**
   * Leadership epoch of the last writer.
   */
  epoch?: number;
}

/**
 * A cloud account that the operator may rent machines from. Owned by administrators.
 */
export interface SkyCloud extends KubeObject {
  spec: SkyCloudSpec;
  status?: SkyCloudStatus;
}

/**
 * A number of identical machines, rented at the cheapest place that has them.
 */
export interface SkyCluster extends KubeObject {
  spec: SkyClusterSpec;
  status?: SkyClusterStatus;
}

/**
 * Work that is run to completion on a cluster of its own or on an existing one.
 */
export interface SkyJob extends KubeObject {
  spec: SkyJobSpec;
  status?: SkyJobStatus;
}
