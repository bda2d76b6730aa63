/** Does what a page tells its reader to do: code into files, commands into a shell. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Step {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export type Block =
  | { readonly kind: 'code'; readonly file: string; readonly text: string }
  /** Lines that must exit with 0, or all with another code where they are expected to be red. */
  | { readonly kind: 'run' | 'red'; readonly commands: readonly string[] };

const BLOCK = /^```(ts|json|sh) (\S+)\n([\s\S]*?)^```$/gm;

/** The sections of a page that have blocks to follow, in order. */
export function stepsOf(page: string): Step[] {
  const sections = page.split(/^## /m).map((section) => ({
    title: section.slice(0, section.indexOf('\n')),
    blocks: [...section.matchAll(BLOCK)].map(([, language, info = '', text = '']) => blockOf(language, info, text)),
  }));
  return sections.filter(({ blocks }) => blocks.length > 0);
}

function blockOf(language: string | undefined, info: string, text: string): Block {
  if (language !== 'sh') return { kind: 'code', file: info, text };
  if (info !== 'run' && info !== 'red') throw new Error(`a sh block is run or red, not ${info}`);
  return { kind: info, commands: text.trim().split('\n') };
}

/** Declarations take the place of those of their name, others are new, imports join the imports. Other files are replaced. */
export function apply(root: string, { file, text }: Extract<Block, { kind: 'code' }>): void {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, file.endsWith('.ts') && existsSync(path) ? merged(readFileSync(path, 'utf8'), text) : text);
}

interface Parts {
  /** Names by `import type {…} from 'module'`, the braces left out. */
  readonly imports: ReadonlyMap<string, ReadonlySet<string>>;
  /** Texts by name, in order. */
  readonly declarations: ReadonlyMap<string, string>;
}

function merged(old: string, added: string): string {
  const [before, after] = [partsOf(old), partsOf(added)];
  const heads = new Set([...before.imports.keys(), ...after.imports.keys()]);
  const imports = [...heads].map((head) => {
    const names = new Set([...(before.imports.get(head) ?? []), ...(after.imports.get(head) ?? [])]);
    return head.replace('{}', `{ ${[...names].join(', ')} }`);
  });
  const declarations = new Map([...before.declarations, ...after.declarations]);
  return `${[imports.join('\n'), ...declarations.values()].join('\n\n')}\n`;
}

function partsOf(code: string): Parts {
  const imports = new Map<string, Set<string>>();
  const rest = code.replace(/^(import (?:type )?)\{([^}]*)\}( from '[^']+';)\n/gm, (_, start, names: string, end) => {
    imports.set(`${start}{}${end}`, new Set(names.split(',').flatMap((name) => name.trim() || [])));
    return '';
  });
  // What follows an empty line at the margin, and closes nothing, is another declaration.
  const declarations = rest.trim().split(/\n\n(?=[^\s})\]])/);
  return { imports, declarations: new Map(declarations.map((text) => [nameOf(text), text])) };
}

function nameOf(declaration: string): string {
  const [, name] = /^(?:export )?(?:async )?(?:function\*?|const|class|interface|type) (\w+)/m.exec(declaration) ?? [];
  if (name === undefined) throw new Error(`what is declared here?\n${declaration}`);
  return name;
}
