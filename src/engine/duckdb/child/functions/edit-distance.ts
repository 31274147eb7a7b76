/** How many steps a distance may take: the product of the lengths. */
const STEP_COUNT_MAX = 4_000_000;

/** How many characters of `left` must be put in, left out or replaced to get `right`; undefined where that takes too long to tell. */
export function editDistance(left: string, right: string): number | undefined {
  const source = Array.from(left);
  const target = Array.from(right);
  if (source.length * target.length > STEP_COUNT_MAX) return undefined;
  let previous = Uint32Array.from({ length: target.length + 1 }, (_, index) => index);
  let current = new Uint32Array(target.length + 1);
  for (const [row, character] of source.entries()) {
    current[0] = row + 1;
    for (let column = 0; column < target.length; column++) {
      const replaced = (previous[column] ?? 0) + (character === target[column] ? 0 : 1);
      const moved = Math.min(previous[column + 1] ?? 0, current[column] ?? 0) + 1;
      current[column + 1] = Math.min(replaced, moved);
    }
    [previous, current] = [current, previous];
  }
  return previous[target.length] ?? 0;
}
