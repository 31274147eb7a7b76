/** Which rows go into one file, by their time. */
import { floorDivide } from "#base/divide.ts";

/** Rows of one window of time. */
export interface TimeWindow {
  /** Its first instant: a whole number of window lengths from the Unix epoch. */
  readonly start: bigint;
  readonly rowCount: number;
}

/** Each window is a whole number of the one before: of 10 m, 20 m, 1 h, 4 h, 24 h, 5 d, 30 d, and on. */
const MULTIPLIERS = [2n, 3n, 4n, 6n, 5n];
const MULTIPLIER_LAST = 6n;
const LENGTH_MAX = 2n ** 62n;

/**
 * Joins `windows` of `windowNs` that have few rows: each becomes part of the smallest wider window, aligned as well, in which those
 * that are left have `rowCountMin` rows; the last ones go together whatever their count. Old data cannot make a file for every
 * ten minutes, nor late rows one for every hour. Answers the number of its file for each window, from 0.
 */
export function joinWindows(
  windows: readonly TimeWindow[],
  windowNs: bigint,
  rowCountMin: number,
): readonly number[] {
  const fileOf = windows.map(() => 0);
  let fileCount = 0;
  let left = windows.map((window, index) => ({ ...window, index }));
  const give = (members: readonly { readonly index: number }[]) => {
    for (const { index } of members) fileOf[index] = fileCount;
    fileCount += 1;
  };
  let lengthNs = windowNs;
  for (let step = 0; left.length > 0; step += 1) {
    const wider = [...Map.groupBy(left, ({ start }) => floorDivide(start, lengthNs)).values()];
    const full = (members: readonly TimeWindow[]) => rowCountOf(members) >= rowCountMin;
    for (const members of wider) if (full(members)) give(members);
    left = wider.filter((members) => !full(members)).flat();
    lengthNs *= MULTIPLIERS[step] ?? MULTIPLIER_LAST;
    if (lengthNs < LENGTH_MAX) continue;
    if (left.length > 0) give(left);
    break;
  }
  return withoutOverlap(fileOf);
}

/** The same files, cut where windows of another file lie between their own. */
function withoutOverlap(fileOf: readonly number[]): readonly number[] {
  let number = -1;
  return fileOf.map((file, index) => {
    if (file !== fileOf[index - 1]) number += 1;
    return number;
  });
}

function rowCountOf(windows: readonly TimeWindow[]): number {
  return windows.reduce((sum, { rowCount }) => sum + rowCount, 0);
}
