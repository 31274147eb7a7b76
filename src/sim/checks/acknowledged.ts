import type { WriteToken } from "#model/write-token.ts";
import type { Truth } from "../truth.ts";

/** A line that was acknowledged. */
export interface AcknowledgedLine {
  readonly text: string;
  readonly token: WriteToken;
  readonly nodeId: string;
}

/** What is wrong where the logs do not hold what was acknowledged (promise 1). */
export function missingWrites(truth: Truth, lines: readonly AcknowledgedLine[]): readonly string[] {
  return lines
    .filter((line) => !isStored(truth, line))
    .map(
      ({ text, nodeId, token }) =>
        `P1: ${text} was acknowledged at ${nodeId} #${token.position} and is not there`,
    );
}

/** Every line was sent once, so its number stands in the logs once at most (promise 3). */
export function doubledLines(truth: Truth, nodeIds: readonly string[]): readonly string[] {
  const problems: string[] = [];
  const seen = new Map<string, string>();
  for (const nodeId of nodeIds)
    for (const { cells, position } of truth.rowsUpTo(nodeId, Number.MAX_SAFE_INTEGER))
      for (const [id, value] of cells) {
        if (typeof value !== "bigint") continue;
        const where = `${nodeId} #${position}`;
        const before = seen.get(`${value}`);
        if (before !== undefined && before !== where)
          problems.push(
            `P3: line ${value} stands at ${before} and again at ${where}, column ${id}`,
          );
        seen.set(`${value}`, where);
      }
  return problems;
}

/** Whether the flush holds the line, or a later line of the same flush on the same field. */
function isStored(truth: Truth, { text, nodeId, token: { position } }: AcknowledgedLine): boolean {
  if (truth.entry(nodeId, position)?.kind !== "flush") return false;
  const [, time] = /i (\d+)$|(\d+)$/.exec(text) ?? [];
  const at = BigInt(time ?? text.split(" ").at(-1) ?? "0");
  return truth
    .rowsUpTo(nodeId, position)
    .some((row) => row.position === position && row.time === at);
}
