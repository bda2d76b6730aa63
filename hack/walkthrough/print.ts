/** How the demo speaks: a heading per step, what happened, and the command that shows it with what it prints. */
const bold = (text: string) => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text);
const dim = (text: string) => (process.stdout.isTTY ? `\u001b[2m${text}\u001b[0m` : text);

let step = 0;

export function heading(text: string): void {
  console.log(`\n${bold(`${step === 0 ? '' : `${step}. `}${text}`)}`);
  step += 1;
}

export function say(text: string): void {
  console.log(text);
}

export function show(command: string, output: string): void {
  console.log(dim(`$ ${command}`));
  for (const line of output.trimEnd().split('\n')) console.log(`  ${line}`);
}
