import type { Choice } from './options.ts';

/** `//? tags=create,later & gang=single`, `//? else`, `//? end`; in Markdown the same in a comment. */
const DIRECTIVE = /^\s*(?:\/\/|<!--)\? (.+?)(?: -->)?$/;

/**
 * A template as the choice wants it: `__name__` is the cloud's name, `__Name__` the same for types, `__idempotency__` the value of
 * that flag. Lines between a directive and its end are kept where it holds. Throws for a template that is wrong.
 */
export function render(template: string, choice: Choice): string {
  const blocks: boolean[] = [];
  const kept: string[] = [];
  for (const line of template.split('\n')) {
    const [, directive] = DIRECTIVE.exec(line) ?? [];
    if (directive === undefined) {
      if (blocks.every(Boolean)) kept.push(filled(line, choice));
    } else if (directive === 'end') blocks.pop();
    else if (directive === 'else') blocks.push(!blocks.pop());
    else blocks.push(directive.split(' & ').every((condition) => holds(condition, choice)));
  }
  if (blocks.length > 0) throw new Error('a block of the template has no end');
  return kept.join('\n');
}

/** `AcmeCloud` of `acme-cloud`. */
export function typeName(name: string): string {
  return name
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}

/** A flag alone holds where it has any value. */
function holds(condition: string, choice: Choice): boolean {
  const [flag = '', values] = condition.split('=');
  const value = Object.entries(choice).find(([key]) => key === flag)?.[1];
  return values === undefined ? value !== undefined : values.split(',').includes(value ?? '');
}

function filled(line: string, choice: Choice): string {
  return line
    .replaceAll('__name__', choice.name)
    .replaceAll('__Name__', typeName(choice.name))
    .replaceAll('__idempotency__', choice.idempotency)
    .replaceAll('__openapi__', choice.openapi ?? '');
}
