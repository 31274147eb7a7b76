// The cells of a column as the bytes of a block (docs/formats/block.md), as sequence.ts, int64.ts and column.ts write them, several
// times as fast. Compiled to cells.wasm by `npm run wasm`.
//
// All memory is laid out by the host. What is written begins at `out` and ends where the function answers. `wholes` is room for three
// times 8 bytes a number: the numbers as doubles, then runs and their lengths. No load and no store leaves what it is given.

const WHOLE_MAX: f64 = 9007199254740991;
const RANGE_MAX: u64 = 9007199254740991;
const PLAIN: u32 = 0x00;
const DELTA: u32 = 0x10;
const RUNS: u32 = 0x20;
const RAW: u32 = 0xff;
const FORM_SIZE_MAX: usize = 32;
const UNIT_COUNT: u32 = 16;
/** Slots that a text may be away from its own: with more, somebody has chosen texts that meet. */
const PROBE_COUNT: u32 = 32;
const ROW_PROBE_COUNT: u32 = 256;
const SIGN: i64 = 0x8000000000000000;

const UNITS = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]);

/** Set by shapeOf. */
let least: f64 = 0;
let spread: f64 = 0;
let deltaLeast: f64 = 0;
let deltaSpread: f64 = 0;
let runCount: usize = 0;

/** The greatest code that `words` was given last. */
export let greatest: f64 = 0;
/** The least and greatest number that `int64s` was given last. */
export let lowest: i64 = 0;
export let highest: i64 = 0;

/** Writes `count` codes. */
export function words(values: usize, count: usize, wholes: usize, out: usize): usize {
  greatest = 0;
  if (count == 0) return out;
  for (let i: usize = 0; i < count; i += 1) store<f64>(wholes + (i << 3), load<u32>(values + (i << 2)) as f64);
  shapeOf(wholes, count);
  greatest = least + spread;
  return writeForm(wholes, count, wholes + (count << 3), out);
}

/** Writes `count` doubles. */
export function floats(values: usize, count: usize, wholes: usize, out: usize): usize {
  const decimals = scale(values, count, wholes);
  if (decimals < UNIT_COUNT) {
    store<u8>(out, decimals);
    if (count == 0) return out + 1;
    shapeOf(wholes, count);
    if (spread <= WHOLE_MAX) return writeForm(wholes, count, wholes + (count << 3), out + 1);
  }
  store<u8>(out, RAW);
  memory.copy(out + 1, values, count << 3);
  return out + 1 + (count << 3);
}

/** Writes `count` 64-bit numbers. */
export function int64s(values: usize, count: usize, wholes: usize, out: usize): usize {
  if (count == 0) return out;
  let low = load<i64>(values);
  let high = low;
  for (let i: usize = 1; i < count; i += 1) {
    const value = load<i64>(values + (i << 3));
    low = min(low, value);
    high = max(high, value);
  }
  lowest = low;
  highest = high;
  if (((high - low) as u64) > RANGE_MAX) {
    store<u8>(out, RAW);
    memory.copy(out + 1, values, count << 3);
    return out + 1 + (count << 3);
  }
  for (let i: usize = 0; i < count; i += 1) {
    store<f64>(wholes + (i << 3), (load<i64>(values + (i << 3)) - low) as f64);
  }
  store<u8>(out, divide(wholes, count));
  store<i64>(out + 1, low);
  shapeOf(wholes, count);
  return writeForm(wholes, count, wholes + (count << 3), out + 9);
}

/** Writes `count` bytes of 0 or 1 as bits, the first in the lowest one. */
export function bits(flags: usize, count: usize, out: usize): usize {
  let target = out;
  let from = flags;
  const stop = flags + count;
  const zero = i8x16.splat(0);
  while (from + 16 <= stop) {
    store<u16>(target, i8x16.bitmask(i8x16.ne(v128.load(from), zero)));
    from += 16;
    target += 2;
  }
  while (from < stop) {
    let byte: u32 = 0;
    for (let bit: usize = 0; bit < 8 && from + bit < stop; bit += 1) byte |= (load<u8>(from + bit) != 0 ? 1 : 0) << (bit as u32);
    store<u8>(target, byte);
    from += 8;
    target += 1;
  }
  return target;
}

/** Moves the 8-byte cells whose flag is 1 together; answers how many there are. */
export function gather(cells: usize, flags: usize, count: usize): usize {
  let kept: usize = 0;
  for (let i: usize = 0; i < count; i += 1) {
    store<u64>(cells + (kept << 3), load<u64>(cells + (i << 3)));
    kept += load<u8>(flags + i) as usize;
  }
  return kept;
}

/**
 * Whether times rise in each series, so that no row says something of a series and time that an earlier one has: `lasts` has room for 16
 * bytes a series, all 0.
 */
export function timesRise(times: usize, series: usize, count: usize, lasts: usize): bool {
  for (let row: usize = 0; row < count; row += 1) {
    const last = lasts + ((load<u32>(series + (row << 2)) as usize) << 4);
    const time = load<i64>(times + (row << 3));
    if (load<u32>(last + 8) != 0 && time <= load<i64>(last)) return false;
    store<i64>(last, time);
    store<u32>(last + 8, 1);
  }
  return true;
}

/**
 * Writes for each row the first one with its series and time to `keptRows`; answers 1 where any is another one, 0 where none is, and 2
 * where too many have the same slot to tell. `slots` are all 0, and a power of two of at least twice as many as rows.
 */
export function findRepeats(times: usize, series: usize, count: usize, slots: usize, slotCount: u32, keptRows: usize): u32 {
  const mask = slotCount - 1;
  let some: u32 = 0;
  for (let row: usize = 0; row < count; row += 1) {
    const time = load<i64>(times + (row << 3));
    const number = load<u32>(series + (row << 2));
    let mixed = ((time as u64) ^ ((number as u64) << 32 | (number as u64))) * 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 29)) * 0xbf58476d1ce4e5b9;
    let slot = (mixed >> 32) as u32 & mask;
    let found = row;
    for (let probe: u32 = 0; ; probe += 1) {
      if (probe == ROW_PROBE_COUNT) return 2;
      const place = slots + ((slot as usize) << 2);
      const known = load<u32>(place) as usize;
      if (known == 0) {
        store<u32>(place, (row + 1) as u32);
        break;
      }
      if (load<i64>(times + ((known - 1) << 3)) == time && load<u32>(series + ((known - 1) << 2)) == number) {
        found = known - 1;
        some = 1;
        break;
      }
      slot = (slot + 1) & mask;
    }
    store<u32>(keptRows + (row << 2), found as u32);
  }
  return some;
}

/** Set by joinTexts: where the texts that differ end. */
export let textsEnd: usize = 0;

/**
 * Writes for each of `count` texts, which stand in UTF-8 one behind the other, which of those that differ it is, from 1 in order of
 * appearance, to `codes`; and those that differ to `out`, and how long each is to `outLengths`. `lengths` are in UTF-16 units. `slots` are
 * all 0, and a power of two of at least twice as many as texts; `entries` has room for 8 bytes a text. Answers how many differ, 0 where
 * too many have the same slot.
 */
export function joinTexts(
  texts: usize, lengths: usize, count: usize, codes: usize, slots: usize, slotCount: u32, entries: usize, out: usize, outLengths: usize,
): usize {
  const mask = slotCount - 1;
  let from = texts;
  let distinct: usize = 0;
  textsEnd = out;
  for (let i: usize = 0; i < count; i += 1) {
    const length = load<u32>(lengths + (i << 2));
    const size = sizeOf(from, length);
    const slot = hash(from, size);
    let code: usize = 0;
    for (let probe: u32 = 0; code == 0; probe += 1) {
      if (probe == PROBE_COUNT) return 0;
      const place = slots + (((slot + probe) & mask) as usize << 2);
      code = load<u32>(place) as usize;
      if (code == 0) {
        const entry = entries + (distinct << 3);
        store<u32>(entry, textsEnd as u32);
        store<u32>(entry + 4, size as u32);
        store<u32>(outLengths + (distinct << 2), length);
        memory.copy(textsEnd, from, size);
        textsEnd += size;
        distinct += 1;
        code = distinct;
        store<u32>(place, code as u32);
        break;
      }
      const entry = entries + ((code - 1) << 3);
      if (load<u32>(entry + 4) as usize != size || !same(from, load<u32>(entry) as usize, size)) code = 0;
    }
    store<u32>(codes + (i << 2), code as u32);
    from += size;
  }
  return distinct;
}

/** The bytes of the characters at `start` that are `length` units of UTF-16. */
@inline
function sizeOf(start: usize, length: u32): usize {
  let from = start;
  let units: u32 = 0;
  while (units < length) {
    const byte = load<u8>(from) as u32;
    // By its first byte a character has one to four; those of four are two units.
    from += byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    units += byte < 0xf0 ? 1 : 2;
  }
  return from - start;
}

function hash(key: usize, size: usize): u32 {
  let mixed: u64 = (size as u64) * 0x9e3779b97f4a7c15;
  const stop = key + size;
  let from = key;
  for (; from + 8 <= stop; from += 8) mixed = rotl<u64>(mixed ^ load<u64>(from), 29) * 0xbf58476d1ce4e5b9;
  for (; from < stop; from += 1) mixed = rotl<u64>(mixed ^ (load<u8>(from) as u64), 11) * 0x94d049bb133111eb;
  mixed ^= mixed >> 29;
  mixed *= 0xbf58476d1ce4e5b9;
  return (mixed >> 32) as u32;
}

@inline
function same(left: usize, right: usize, size: usize): bool {
  let offset: usize = 0;
  for (; offset + 8 <= size; offset += 8) if (load<u64>(left + offset) != load<u64>(right + offset)) return false;
  for (; offset < size; offset += 1) if (load<u8>(left + offset) != load<u8>(right + offset)) return false;
  return true;
}

/** Math.round: halves go up. */
@inline
function round(value: f64): f64 {
  const above = Math.ceil(value);
  return above - 0.5 > value ? above - 1 : above;
}

/** Whether `value` comes back from a whole number of 1/`unit`. -0, NaN and the infinities do not. */
@inline
function returns(value: f64, unit: f64): bool {
  const whole = round(value * unit);
  return whole / unit == value && Math.abs(whole) <= WHOLE_MAX && reinterpret<i64>(value) != SIGN;
}

/** Writes `values` to `wholes` in the fewest decimals that all come back from; answers UNIT_COUNT or more where there are none. */
function scale(values: usize, count: usize, wholes: usize): u32 {
  let decimals: u32 = 0;
  let from: usize = 0;
  let wrongBefore: usize = 0;
  for (;;) {
    from = scaleFrom(values, wholes, from, count, decimals);
    if (from == count) break;
    const value = load<f64>(values + (from << 3));
    while (!returns(value, load<f64>(UNITS + ((decimals as usize) << 3)))) {
      decimals += 1;
      if (decimals == UNIT_COUNT) return decimals;
    }
    wrongBefore = from;
  }
  // Those before were written with fewer decimals.
  if (wrongBefore > 0 && scaleFrom(values, wholes, 0, wrongBefore, decimals) < wrongBefore) return UNIT_COUNT;
  return decimals;
}

/** Goes from `first` to `end`, or to the first value that does not come back, which it answers. */
function scaleFrom(values: usize, wholes: usize, first: usize, end: usize, decimals: u32): usize {
  const unit = load<f64>(UNITS + ((decimals as usize) << 3));
  let i = first;
  const units = f64x2.splat(unit);
  const ones = f64x2.splat(1);
  const halves = f64x2.splat(0.5);
  const most = f64x2.splat(WHOLE_MAX);
  const signs = i64x2.splat(SIGN);
  while (i + 2 <= end) {
    const value = v128.load(values + (i << 3));
    const scaled = f64x2.mul(value, units);
    const above = f64x2.ceil(scaled);
    const whole = f64x2.sub(above, v128.and(f64x2.gt(f64x2.sub(above, halves), scaled), ones));
    const good = v128.and(f64x2.eq(f64x2.div(whole, units), value), f64x2.le(f64x2.abs(whole), most));
    if (!i64x2.all_true(v128.andnot(good, i64x2.eq(value, signs)))) break;
    v128.store(wholes + (i << 3), whole);
    i += 2;
  }
  while (i < end) {
    const value = load<f64>(values + (i << 3));
    if (!returns(value, unit)) return i;
    store<f64>(wholes + (i << 3), round(value * unit));
    i += 1;
  }
  return i;
}

/** Divides `offsets` by the largest of 1, 1000, 1000^2 and 1000^3 that divides all; answers its exponent. */
function divide(offsets: usize, count: usize): u32 {
  let form: u32 = 3;
  let unit: f64 = 1e9;
  for (let i: usize = 0; i < count && form > 0; i += 1) {
    const offset = load<f64>(offsets + (i << 3));
    while (form > 0) {
      const quotient = offset / unit;
      if (Math.floor(quotient) == quotient && quotient * unit == offset) break;
      form -= 1;
      unit /= 1000;
    }
  }
  if (form > 0) for (let i: usize = 0; i < count; i += 1) store<f64>(offsets + (i << 3), load<f64>(offsets + (i << 3)) / unit);
  return form;
}

function shapeOf(values: usize, count: usize): void {
  const first = load<f64>(values);
  let low = f64x2.splat(first);
  let high = low;
  let deltaLow = f64x2.splat(Infinity);
  let deltaHigh = f64x2.splat(-Infinity);
  let changes = i64x2.splat(0);
  const zero = f64x2.splat(0);
  let i: usize = 1;
  while (i + 2 <= count) {
    const value = v128.load(values + (i << 3));
    const delta = f64x2.sub(value, v128.load(values + (i << 3) - 8));
    low = f64x2.pmin(low, value);
    high = f64x2.pmax(high, value);
    deltaLow = f64x2.pmin(deltaLow, delta);
    deltaHigh = f64x2.pmax(deltaHigh, delta);
    // Each that differs is -1.
    changes = i64x2.sub(changes, f64x2.ne(delta, zero));
    i += 2;
  }
  let lowest = min(f64x2.extract_lane(low, 0), f64x2.extract_lane(low, 1));
  let highest = max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1));
  let deltaLowest = min(f64x2.extract_lane(deltaLow, 0), f64x2.extract_lane(deltaLow, 1));
  let deltaHighest = max(f64x2.extract_lane(deltaHigh, 0), f64x2.extract_lane(deltaHigh, 1));
  let changeCount = i64x2.extract_lane(changes, 0) + i64x2.extract_lane(changes, 1);
  if (i < count) {
    const value = load<f64>(values + (i << 3));
    const delta = value - load<f64>(values + (i << 3) - 8);
    lowest = min(lowest, value);
    highest = max(highest, value);
    deltaLowest = min(deltaLowest, delta);
    deltaHighest = max(deltaHighest, delta);
    if (delta != 0) changeCount += 1;
  }
  least = lowest;
  spread = highest - lowest;
  deltaLeast = count == 1 ? 0 : deltaLowest;
  deltaSpread = count == 1 ? 0 : deltaHighest - deltaLowest;
  runCount = (changeCount as usize) + 1;
}

/** Bytes that `width` needs; 8 says that it does not fit into a sequence. */
@inline
function planeCount(width: f64): usize {
  if (width > WHOLE_MAX) return 8;
  return (71 - clz(width as u64)) as usize >> 3;
}

/** Of the numbers that shapeOf has looked at, in the smallest form. */
function writeForm(values: usize, count: usize, runs: usize, out: usize): usize {
  const planes = planeCount(spread);
  const best = min(planes * count, planeCount(deltaSpread) * (count - 1));
  if (runCount * (planes + planeCount(count as f64)) + FORM_SIZE_MAX >= best) return writeShort(values, count, out);
  const found = runCount;
  const lengths = runs + (found << 3);
  findRuns(values, count, runs, lengths);
  store<u8>(out, RUNS);
  store<u32>(out + 1, found as u32);
  shapeOf(runs, found);
  const after = writeShort(runs, found, out + 5);
  shapeOf(lengths, found);
  return writeShort(lengths, found, after);
}

function findRuns(values: usize, count: usize, runs: usize, lengths: usize): void {
  let run: usize = 0;
  let start: usize = 0;
  for (let i: usize = 1; i <= count; i += 1) {
    const value = load<f64>(values + (start << 3));
    if (i < count && load<f64>(values + (i << 3)) == value) continue;
    store<f64>(runs + (run << 3), value);
    store<f64>(lengths + (run << 3), (i - start) as f64);
    start = i;
    run += 1;
  }
}

function writeShort(values: usize, count: usize, out: usize): usize {
  const planes = planeCount(spread);
  const deltaPlanes = planeCount(deltaSpread);
  if (deltaPlanes * (count - 1) + FORM_SIZE_MAX < planes * count) {
    store<u8>(out, DELTA | (deltaPlanes as u32));
    store<i64>(out + 1, load<f64>(values) as i64);
    store<i64>(out + 9, deltaLeast as i64);
    // From the end on, each difference takes the place of the number it leads to.
    for (let i = count - 1; i > 0; i -= 1) {
      store<f64>(values + (i << 3), load<f64>(values + (i << 3)) - load<f64>(values + (i << 3) - 8));
    }
    return writePlanes(values + 8, count - 1, deltaLeast, deltaPlanes, out + 17);
  }
  store<u8>(out, PLAIN | (planes as u32));
  store<i64>(out + 1, least as i64);
  return writePlanes(values, count, least, planes, out + 9);
}

function writePlanes(values: usize, count: usize, from: f64, planes: usize, out: usize): usize {
  if (planes == 0) return out;
  let i: usize = 0;
  if (planes <= 4) {
    const low = f64x2.splat(from);
    const bytes = i32x4.splat(0xff);
    for (; i + 16 <= count; i += 16) {
      const at = values + (i << 3);
      let a = four(at, low);
      let b = four(at + 32, low);
      let c = four(at + 64, low);
      let d = four(at + 96, low);
      let target = out + i;
      for (let plane: usize = 0; plane < planes; plane += 1) {
        const left = i16x8.narrow_i32x4_u(v128.and(a, bytes), v128.and(b, bytes));
        const right = i16x8.narrow_i32x4_u(v128.and(c, bytes), v128.and(d, bytes));
        v128.store(target, i8x16.narrow_i16x8_u(left, right));
        a = i32x4.shr_u(a, 8);
        b = i32x4.shr_u(b, 8);
        c = i32x4.shr_u(c, 8);
        d = i32x4.shr_u(d, 8);
        target += count;
      }
    }
  }
  for (; i < count; i += 1) {
    let offset = (load<f64>(values + (i << 3)) - from) as u64;
    let target = out + i;
    for (let plane: usize = 0; plane < planes; plane += 1) {
      store<u8>(target, offset);
      offset >>= 8;
      target += count;
    }
  }
  return out + planes * count;
}

/** Four offsets from `low`, of which none has more than 32 bits. */
@inline
function four(at: usize, low: v128): v128 {
  const left = i32x4.trunc_sat_f64x2_u_zero(f64x2.sub(v128.load(at), low));
  const right = i32x4.trunc_sat_f64x2_u_zero(f64x2.sub(v128.load(at + 16), low));
  return v128.shuffle<i32>(left, right, 0, 1, 4, 5);
}
