const NAMES_MAX = 1000;
const NAME_LENGTH_MAX = 64;
const NEAREST_MAX = 3;

/**
 * Those of `names` that were likely meant by `name`, best first, at most three: at least half of the letters stay
 * when one is edited into the other. Looks at a bounded number of names of bounded length.
 */
export function nearestNames(name: string, names: readonly string[]): readonly string[] {
  if (name.length > NAME_LENGTH_MAX) return [];
  return names
    .slice(0, NAMES_MAX)
    .filter((other) => other.length <= NAME_LENGTH_MAX)
    .map((other) => ({ other, likeness: likeness(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ likeness: value }) => value >= 0.5)
    .toSorted((left, right) => right.likeness - left.likeness)
    .slice(0, NEAREST_MAX)
    .map(({ other }) => other);
}

/** 1 for equal texts, 0 for those with nothing in common. */
function likeness(left: string, right: string): number {
  const length = Math.max(left.length, right.length);
  return length === 0 ? 1 : 1 - editDistance(left, right) / length;
}

/** How many letters must be put in, taken out or changed (Levenshtein). */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const change = left[row - 1] === right[column - 1] ? 0 : 1;
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + change,
        ),
      );
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
