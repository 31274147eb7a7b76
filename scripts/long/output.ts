/** Says something to whoever runs the script. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
