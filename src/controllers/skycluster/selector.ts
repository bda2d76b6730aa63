import type { LabelSelector } from '../../api/types.gen.ts';

type Labels = Readonly<Record<string, string | undefined>>;
type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

/** A Kubernetes label selector; an absent one matches nothing here, for the right to spend is given, not assumed. */
export function matches(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (!selector) return false;
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return exact && (selector.matchExpressions ?? []).every((requirement) => holds(requirement, labels));
}

function holds({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return operator satisfies never;
  }
}
