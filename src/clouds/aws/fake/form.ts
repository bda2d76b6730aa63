/** A value of the query protocol: numbered keys are lists. */
export type FormValue = string | readonly FormValue[] | FormObject;
export interface FormObject {
  readonly [name: string]: FormValue;
}

interface Tree {
  [name: string]: string | Tree;
}

/** `TagSpecification.1.Tag.1.Key=k` as an object: `{TagSpecification: [{Tag: [{Key: 'k'}]}]}`. */
export function parseForm(text: string): FormObject {
  const tree = branch();
  for (const [path, value] of new URLSearchParams(text)) plant(tree, path.split('.'), value);
  return Object.fromEntries(Object.entries(tree).map(([name, inner]) => [name, grown(inner)]));
}

export function textOf(form: FormObject, name: string): string | undefined {
  const value = form[name];
  return typeof value === 'string' ? value : undefined;
}

export function textsOf(form: FormObject, name: string): string[] {
  return listOf(form, name).filter((value) => typeof value === 'string');
}

export function objectsOf(form: FormObject, name: string): FormObject[] {
  return listOf(form, name).filter(isFormObject);
}

export function objectOf(form: FormObject, name: string): FormObject {
  const value = form[name];
  return value !== undefined && isFormObject(value) ? value : {};
}

function listOf(form: FormObject, name: string): readonly FormValue[] {
  const value = form[name];
  return Array.isArray(value) ? (value as readonly FormValue[]) : [];
}

function isFormObject(value: FormValue): value is FormObject {
  return typeof value === 'object' && !Array.isArray(value);
}

function plant(tree: Tree, [name = '', ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) {
    tree[name] = value;
    return;
  }
  const known = tree[name];
  const inner = typeof known === 'object' ? known : branch();
  tree[name] = inner;
  plant(inner, rest, value);
}

/** Without a prototype: names come from the network. */
function branch(): Tree {
  return Object.create(null) as Tree;
}

function grown(inner: string | Tree): FormValue {
  if (typeof inner === 'string') return inner;
  const entries = Object.entries(inner);
  if (!entries.every(([name]) => /^\d+$/.test(name)))
    return Object.fromEntries(entries.map(([name, value]) => [name, grown(value)]));
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => grown(value));
}
