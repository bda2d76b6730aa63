/** Which machine types of a provider a request without a type may get. */

interface Families {
  /** Types that a CPU request is served from first; absent: all without accelerators. */
  readonly preferred?: RegExp;
  /** Types of another processor architecture: software built for the usual one does not run there. */
  readonly arm?: RegExp;
  /** Regions that only accounts of a partition have. */
  readonly partitions?: RegExp;
}

const NONE: Families = {};

const FAMILIES: Readonly<Record<string, Families>> = {
  aws: {
    preferred: /^[mrc][67]i\./,
    arm: /^(a1|[a-z]+\d+g[a-z]*)\./,
    partitions: /^(us-gov|cn|us-iso[a-z]*|eusc)-/,
  },
  gcp: {
    preferred: /^n[24]-(standard|highmem|highcpu)-\d+$/,
    arm: /^(t2a|c4a|n4a|a4x)-/,
  },
  azure: {
    preferred: /^Standard_([DE]\d+s_v5|F\d+s_v2)$/,
    arm: /^Standard_[A-Z]+\d+(-\d+)?[a-z]*p[a-z]*_/,
    partitions: /^(usgov|usdod|ussec|usnat|china|germany(central|northeast)$)/,
  },
};

export function familiesOf(provider: string): Families {
  return FAMILIES[provider] ?? NONE;
}
