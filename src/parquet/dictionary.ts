/** Values as codes of those that differ, where there are few. */

/** Values under codes from 0, in order of value or of appearance. */
export interface Coded<Values> {
  readonly codes: Uint32Array;
  readonly distinct: Values;
}

const RANGE_MAX = 2 ** 16;
const DISTINCT_MAX = 2 ** 14;
/** A dictionary pays where a value comes this often. */
const REPEATS_MIN = 4;
const HALF = 2 ** 32;
/** Values that somebody chose may lie in one chain of the hash table: a dictionary is not worth that. */
const STEPS_PER_VALUE_MAX = 4;

/** Undefined where too many of `values` differ. -0 differs from 0, and each NaN from other bits. */
export function codeDoubles(values: Float64Array): Coded<Float64Array> | undefined {
  return codeSmallWholes(values) ?? codeByHash(values);
}

/** Whole numbers that lie near each other need no hashing. */
function codeSmallWholes(values: Float64Array): Coded<Float64Array> | undefined {
  const found = smallRange(values);
  if (found === undefined) return undefined;
  const { least, range } = found;
  const codeOf = new Uint32Array(range);
  for (let i = 0; i < values.length; i += 1) codeOf[(values[i] as number) - least] = 1;
  let count = 0;
  for (let i = 0; i < range; i += 1) {
    if (codeOf[i] === 0) continue;
    codeOf[i] = count;
    count += 1;
  }
  const distinct = new Float64Array(count);
  const codes = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i += 1) {
    const code = codeOf[(values[i] as number) - least] as number;
    codes[i] = code;
    distinct[code] = values[i] as number;
  }
  return { codes, distinct };
}

/** Where the values lie; undefined where they are no whole numbers, or too far apart for a table of all between. */
function smallRange(
  values: Float64Array,
): { readonly least: number; readonly range: number } | undefined {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    // True of whole numbers up to 2^31 alone, and of neither NaN nor -0.
    if ((value | 0) !== value || (value === 0 && 1 / value < 0)) return undefined;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const range = greatest - least + 1;
  return range > RANGE_MAX || range > values.length ? undefined : { least, range };
}

/** An open hash table over the bits of the values. */
function codeByHash(values: Float64Array): Coded<Float64Array> | undefined {
  const countMax = Math.min(DISTINCT_MAX, Math.floor(values.length / REPEATS_MIN));
  const halves = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  const slotMask = 4 * DISTINCT_MAX - 1;
  // Numbers from 1 of entries; 0 is a free slot.
  const slots = new Uint32Array(slotMask + 1);
  const firsts = new Uint32Array(countMax);
  const codes = new Uint32Array(values.length);
  let count = 0;
  let stepsLeft = STEPS_PER_VALUE_MAX * values.length;
  for (let i = 0; i < values.length; i += 1) {
    const low = halves[2 * i] as number;
    const high = halves[2 * i + 1] as number;
    const mixed = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    let slot = (mixed ^ (mixed >>> 15)) & slotMask;
    let found = slots[slot] as number;
    while (found !== 0) {
      const first = firsts[found - 1] as number;
      if (halves[2 * first] === low && halves[2 * first + 1] === high) break;
      slot = (slot + 1) & slotMask;
      found = slots[slot] as number;
      stepsLeft -= 1;
      if (stepsLeft < 0) return undefined;
    }
    if (found === 0) {
      if (count === countMax) return undefined;
      firsts[count] = i;
      count += 1;
      found = count;
      slots[slot] = found;
    }
    codes[i] = found - 1;
  }
  const distinct = Float64Array.from(firsts.subarray(0, count), (first) => values[first] as number);
  return { codes, distinct };
}

/** The entries of a dictionary of `count` that are used, and nothing else. `codes` of 0, NULL, are left out. */
export function codeUsed(codes: Uint32Array, count: number): Coded<Uint32Array> {
  const codeOf = new Uint32Array(count + 1);
  const distinct = new Uint32Array(Math.min(count, codes.length));
  const used = new Uint32Array(codes.length);
  let distinctCount = 0;
  let usedCount = 0;
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] as number;
    if (code === 0) continue;
    if (codeOf[code] === 0) {
      distinct[distinctCount] = code - 1;
      distinctCount += 1;
      codeOf[code] = distinctCount;
    }
    used[usedCount] = (codeOf[code] as number) - 1;
    usedCount += 1;
  }
  return { codes: used.subarray(0, usedCount), distinct: distinct.subarray(0, distinctCount) };
}

/** As offsets from the first value; undefined where one is further from it than `spreadMax`. */
export function offsetsFromFirst(
  values: BigInt64Array,
  spreadMax: number,
): Float64Array | undefined {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const firstLow = (halves[0] as number) >>> 0;
  const firstHigh = halves[1] as number;
  const offsets = new Float64Array(values.length);
  for (let i = 0; i < values.length; i += 1) {
    const low = (halves[2 * i] as number) >>> 0;
    const offset = ((halves[2 * i + 1] as number) - firstHigh) * HALF + (low - firstLow);
    // Far ones are rounded, but not so much that they would seem near.
    if (!(Math.abs(offset) <= spreadMax)) return undefined;
    offsets[i] = offset;
  }
  return offsets;
}
