/** Sets of code points. */

/** First and last of each range, one after the other: sorted, without overlaps. */
export type CodeSet = readonly number[];

const CODE_MAX = 0x10ffff;
export const ANY: CodeSet = [0, CODE_MAX];

/** The set of ranges in any order. */
export function setOf(ranges: readonly number[]): CodeSet {
  const pairs: (readonly [number, number])[] = [];
  for (let index = 0; index < ranges.length; index += 2)
    pairs.push([ranges[index] ?? 0, ranges[index + 1] ?? 0]);
  pairs.sort((left, right) => left[0] - right[0]);
  const merged: number[] = [];
  for (const [low, high] of pairs) {
    const last = merged.at(-1);
    if (last === undefined || low > last + 1) merged.push(low, high);
    else merged[merged.length - 1] = Math.max(last, high);
  }
  return merged;
}

export function negated(set: CodeSet): CodeSet {
  const others: number[] = [];
  let low = 0;
  for (let index = 0; index < set.length; index += 2) {
    const first = set[index] ?? 0;
    if (first > low) others.push(low, first - 1);
    low = (set[index + 1] ?? 0) + 1;
  }
  if (low <= CODE_MAX) others.push(low, CODE_MAX);
  return others;
}

export function has(set: CodeSet, code: number): boolean {
  let [low, high] = [0, set.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((set[2 * middle + 1] ?? 0) < code) low = middle + 1;
    else high = middle;
  }
  return (set[2 * low] ?? Number.POSITIVE_INFINITY) <= code;
}

/** With the letters that differ from those in `set` by their case alone. */
export function folded(set: CodeSet): CodeSet {
  const ranges = [...set];
  const add = (orbit: readonly number[] = []): void => {
    for (const code of orbit) ranges.push(code, code);
  };
  const [first, last] = set;
  if (set.length === 2 && first !== undefined && first === last) add(caseOrbits().get(first));
  else for (const [code, orbit] of caseOrbits()) if (has(set, code)) add(orbit);
  return setOf(ranges);
}

let orbits: ReadonlyMap<number, readonly number[]> | undefined;

/** Of each letter those that are the same but for their case, itself included. */
function caseOrbits(): ReadonlyMap<number, readonly number[]> {
  if (orbits !== undefined) return orbits;
  const byKey = new Map<string, number[]>();
  const cased = matching(/[\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}]+/gu);
  for (let index = 0; index < cased.length; index += 2) {
    for (let code = cased[index] ?? 0; code <= (cased[index + 1] ?? -1); code += 1) {
      const key = caseKey(code);
      const orbit = byKey.get(key);
      if (orbit === undefined) byKey.set(key, [code]);
      else orbit.push(code);
    }
  }
  const shared = [...byKey.values()].filter(({ length }) => length > 1);
  orbits = new Map(shared.flatMap((orbit) => orbit.map((code) => [code, orbit])));
  return orbits;
}

function caseKey(code: number): string {
  const text = String.fromCodePoint(code);
  // Small dotless i is no other letter's, though its capital is I.
  if (code === 0x131) return text;
  const upper = single(text.toUpperCase(), text);
  return single(upper.toLowerCase(), upper);
}

/** `text` if it is one character. */
function single(text: string, otherwise: string): string {
  return text.length === String.fromCodePoint(text.codePointAt(0) ?? 0).length ? text : otherwise;
}

/** By name; there are as many as there are categories and scripts. */
const unicodeSets = new Map<string, CodeSet>();

/** The characters of a category (`Lu`) or of a script (`Greek`). Throws a SyntaxError where there is none of that name. */
export function unicodeSet(name: string): CodeSet {
  if (name === "Any") return ANY;
  const known = unicodeSets.get(name);
  if (known !== undefined) return known;
  const set = matching(new RegExp(`[${classOf(name)}]+`, "gu"));
  unicodeSets.set(name, set);
  return set;
}

function classOf(name: string): string {
  // Go's C is without what is assigned to nothing.
  if (name === "C") return "\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}";
  return /^[CLMNPSZ][a-z]?$/.test(name) ? `\\p{${name}}` : `\\p{Script=${name}}`;
}

const CHUNK = 0x1000;

/** All code points of which `runs` (flags `g` and `u`) finds runs. */
function matching(runs: RegExp): CodeSet {
  const ranges: number[] = [];
  for (let start = 0; start <= CODE_MAX; start += CHUNK) {
    const codes = Array.from({ length: CHUNK }, (_, index) => start + index);
    for (const match of String.fromCodePoint(...codes).matchAll(runs)) {
      const width = start > 0xffff ? 2 : 1;
      const low = start + match.index / width;
      ranges.push(low, low + match[0].length / width - 1);
    }
  }
  return setOf(ranges);
}
