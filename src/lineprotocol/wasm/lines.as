// The lines of a body that look like lines before them: same series, same fields in the same order, plain numbers. Everything else is
// left to the plain reader, which then teaches this what it saw (fast-parser.ts). Compiled to lines.wasm by `npm run wasm`.
//
// All memory is laid out by the host. The body is followed by a newline and 64 bytes of 0, so that no scan and no load of 16 bytes
// leaves it.
//
//   series   16 bytes each, from number 1:  keyAt u32, keySize u32, table u32, next u32 (the series that came behind it last)
//   slots    a hash table of series numbers, 0 is free
//   table    rows u32, layout u32 (the last that fitted), first layout u32, then for `scatter`: next row u32, and where to write
//            times u32, lines u32, series u32, layouts u32, and a list of places u32, one a column
//   layout   table u32, count u32, next layout u32, rows u32, then for each field: keyAt u32, keySize u32, kind u32, column u32
//   log      for each row: layout u32, series u32, line u32, 0 u32, time i64, then 8 bytes a field; for a row of the plain reader
//            that stands in between: 0 u32, table u32

const SPACE: u32 = 32;
const NEWLINE: u32 = 10;
const COMMA: u32 = 44;
const MINUS: u32 = 45;
const DOT: u32 = 46;
const BACKSLASH: u32 = 92;

const FLOAT: u32 = 0;
const INTEGER: u32 = 1;
const UINTEGER: u32 = 2;
const BOOLEAN: u32 = 3;

const SERIES_SHIFT: usize = 4;
const LAYOUT_HEAD: usize = 16;
const FIELD_SIZE: usize = 16;
const ROW_HEAD: usize = 24;
const GAP_SIZE: usize = 8;
/** Slots that a key may be away from its own: with more, somebody has chosen keys that meet. */
const PROBE_COUNT: u32 = 16;
/** Whole numbers that a double holds exactly, whatever they are, are below this. */
const EXACT_BELOW: u64 = 1 << 53;
const DIGIT_COUNT_MAX: usize = 18;
const FRACTION_MAX: usize = 22;
const TIME_MAX: u64 = 0x7fffffffffffffff;

const POWERS = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]);

/** Answers of `parse`. */
const ENDED: u32 = 0;
const ODD: u32 = 1;
const FULL: u32 = 2;

/** Where the next line begins; lines that said something so far. */
export let at: usize = 0;
export let lineCount: u32 = 0;
/** Where the log ends. */
let logEnd: usize = 0;

let end: usize = 0;
let seriesAt: usize = 0;
let seriesMax: u32 = 0;
let seriesCount: u32 = 0;
let slotsAt: usize = 0;
let slotMask: u32 = 0;
let logMax: usize = 0;
let lastSeries: u32 = 0;
/** Nanoseconds in a unit of time; 0: by magnitude. */
let unit: u64 = 0;
let defaultTime: i64 = 0;
/** The last timestamp that was read. */
let timeAt: usize = 0;
let timeSize: usize = 0;
let time: i64 = 0;

/** Starts on the body in [`bodyAt`, `bodyEnd`). The slots are all 0. */
export function begin(
  bodyAt: usize, bodyEnd: usize, unitNs: u64, defaultNs: i64,
  series: usize, seriesCountMax: u32, slots: usize, slotCount: u32, log: usize, logSize: usize,
): void {
  at = bodyAt;
  end = bodyEnd;
  unit = unitNs;
  defaultTime = defaultNs;
  seriesAt = series;
  seriesMax = seriesCountMax;
  seriesCount = 0;
  slotsAt = slots;
  slotMask = slotCount - 1;
  logEnd = log;
  logMax = log + logSize;
  lineCount = 0;
  lastSeries = 0;
  timeSize = 0;
}

/** The plain reader has read the line that ends before `next`. */
export function goOn(next: usize): void {
  at = next;
  lineCount += 1;
}

/** That line was good, and has a row of `table`. */
export function leaveGap(table: usize): bool {
  if (logEnd + GAP_SIZE > logMax) return false;
  store<u32>(logEnd, 0);
  store<u32>(logEnd + 4, table as u32);
  logEnd += GAP_SIZE;
  store<u32>(table, load<u32>(table) + 1);
  return true;
}

/** Lines that begin with the `size` bytes at `key` and a space are of this series of `table`. Answers its number, 0 where there is no room. */
export function learnSeries(key: usize, size: usize, table: usize): u32 {
  let slot = hash(key, size);
  for (let probe: u32 = 0; probe < PROBE_COUNT; probe += 1) {
    const place = slotsAt + (((slot + probe) & slotMask) as usize << 2);
    const known = load<u32>(place);
    if (known != 0) {
      if (isKey(known, key, size)) return follow(known);
      continue;
    }
    if (seriesCount == seriesMax) return 0;
    seriesCount += 1;
    const entry = seriesAt + (seriesCount as usize << SERIES_SHIFT);
    store<u32>(entry, key as u32);
    store<u32>(entry + 4, size as u32);
    store<u32>(entry + 8, table as u32);
    store<u32>(entry + 12, 0);
    store<u32>(place, seriesCount);
    return follow(seriesCount);
  }
  return 0;
}

/** Makes a row of each line up to one that is not like others: ODD, `at` is its first byte; FULL where the log is. */
export function parse(): u32 {
  while (at < end) {
    if (load<u8>(at) as u32 == NEWLINE) {
      at += 1;
      continue;
    }
    const series = findSeries();
    if (series == 0) return ODD;
    const entry = seriesAt + (series as usize << SERIES_SHIFT);
    const table = load<u32>(entry + 8) as usize;
    const start = at + load<u32>(entry + 4) + 1;
    let layout = load<u32>(table + 4) as usize;
    if (layout == 0) return ODD;
    if (logEnd + ROW_HEAD + (load<u32>(layout + 4) as usize << 3) > logMax) return FULL;
    let after = readFields(layout, start);
    if (after == 0) {
      layout = findLayout(table, layout, start);
      if (layout == 0) return ODD;
      after = fieldsEnd;
    }
    const next = readTime(after);
    if (next == 0) return ODD;
    store<u32>(logEnd, layout as u32);
    store<u32>(logEnd + 4, series);
    store<u32>(logEnd + 8, lineCount);
    store<i64>(logEnd + 16, lineTime);
    logEnd += ROW_HEAD + (load<u32>(layout + 4) as usize << 3);
    store<u32>(table, load<u32>(table) + 1);
    store<u32>(layout + 12, load<u32>(layout + 12) + 1);
    lineCount += 1;
    follow(series);
    at = next;
  }
  return ENDED;
}

/** Writes the rows of the log, from `log` on, into the columns of their tables. Rows of the plain reader are passed over. */
export function scatter(log: usize): void {
  let entry = log;
  while (entry < logEnd) {
    const layout = load<u32>(entry) as usize;
    if (layout == 0) {
      const table = load<u32>(entry + 4) as usize;
      store<u32>(table + 12, load<u32>(table + 12) + 1);
      entry += GAP_SIZE;
      continue;
    }
    const table = load<u32>(layout) as usize;
    const row = load<u32>(table + 12) as usize;
    store<u32>(table + 12, (row + 1) as u32);
    store<i64>((load<u32>(table + 16) as usize) + (row << 3), load<i64>(entry + 16));
    store<u32>((load<u32>(table + 20) as usize) + (row << 2), load<u32>(entry + 8));
    store<u32>((load<u32>(table + 24) as usize) + (row << 2), load<u32>(entry + 4));
    store<u32>((load<u32>(table + 28) as usize) + (row << 2), layout as u32);
    const columns = load<u32>(table + 32) as usize;
    const count = load<u32>(layout + 4) as usize;
    let field = layout + LAYOUT_HEAD;
    let value = entry + ROW_HEAD;
    entry = value + (count << 3);
    while (value < entry) {
      const target = load<u32>(columns + (load<u32>(field + 12) as usize << 2)) as usize;
      if (load<u32>(field + 8) == BOOLEAN) store<u8>(target + row, load<u8>(value));
      else store<u64>(target + (row << 3), load<u64>(value));
      field += FIELD_SIZE;
      value += 8;
    }
  }
}

/** The series of the line at `at`; 0 where it is not known. */
@inline
function findSeries(): u32 {
  if (lastSeries != 0) {
    const expected = load<u32>(seriesAt + (lastSeries as usize << SERIES_SHIFT) + 12);
    if (expected != 0) {
      const entry = seriesAt + (expected as usize << SERIES_SHIFT);
      const size = load<u32>(entry + 4) as usize;
      if (at + size < end && load<u8>(at + size) as u32 == SPACE && same(at, load<u32>(entry) as usize, size)) return expected;
    }
  }
  return lookUp();
}

function lookUp(): u32 {
  const keyEnd = findKeyEnd();
  if (keyEnd == 0) return 0;
  const size = keyEnd - at;
  const slot = hash(at, size);
  for (let probe: u32 = 0; probe < PROBE_COUNT; probe += 1) {
    const known = load<u32>(slotsAt + (((slot + probe) & slotMask) as usize << 2));
    if (known == 0) return 0;
    if (isKey(known, at, size)) return known;
  }
  return 0;
}

/** Where the first space stands that no backslash escapes; 0 where the line ends before. */
function findKeyEnd(): usize {
  const spaces = i8x16.splat(32);
  const newlines = i8x16.splat(10);
  const backslashes = i8x16.splat(92);
  let from = at;
  while (from < end) {
    const bytes = v128.load(from);
    const found = i8x16.bitmask(v128.or(i8x16.eq(bytes, spaces), v128.or(i8x16.eq(bytes, newlines), i8x16.eq(bytes, backslashes))));
    if (found == 0) {
      from += 16;
      continue;
    }
    from += ctz(found) as usize;
    if (from >= end) return 0;
    const byte = load<u8>(from) as u32;
    if (byte == SPACE) return from;
    if (byte == NEWLINE) return 0;
    // What a backslash stands before ends nothing; a newline there is for the plain reader.
    if (load<u8>(from + 1) as u32 == NEWLINE) return 0;
    from += 2;
  }
  return 0;
}

@inline
function isKey(series: u32, key: usize, size: usize): bool {
  const entry = seriesAt + (series as usize << SERIES_SHIFT);
  return load<u32>(entry + 4) as usize == size && same(key, load<u32>(entry) as usize, size);
}

function follow(series: u32): u32 {
  if (lastSeries != 0) store<u32>(seriesAt + (lastSeries as usize << SERIES_SHIFT) + 12, series);
  lastSeries = series;
  return series;
}

function hash(key: usize, size: usize): u32 {
  let mixed: u64 = (size as u64) * 0x9e3779b97f4a7c15;
  let from = key;
  const stop = key + size;
  while (from + 8 <= stop) {
    mixed = rotl<u64>(mixed ^ load<u64>(from), 29) * 0xbf58476d1ce4e5b9;
    from += 8;
  }
  while (from < stop) {
    mixed = (mixed ^ (load<u8>(from) as u64)) * 0x94d049bb133111eb;
    from += 1;
  }
  mixed ^= mixed >> 29;
  mixed *= 0xbf58476d1ce4e5b9;
  return (mixed >> 32) as u32;
}

/** Whether `size` bytes at both places are the same. */
@inline
function same(left: usize, right: usize, size: usize): bool {
  if (size >= 16) {
    const last = size - 16;
    for (let offset: usize = 0; offset < last; offset += 16) {
      if (v128.any_true(v128.xor(v128.load(left + offset), v128.load(right + offset)))) return false;
    }
    return !v128.any_true(v128.xor(v128.load(left + last), v128.load(right + last)));
  }
  if (size >= 8) return load<u64>(left) == load<u64>(right) && load<u64>(left + size - 8) == load<u64>(right + size - 8);
  for (let offset: usize = 0; offset < size; offset += 1) {
    if (load<u8>(left + offset) != load<u8>(right + offset)) return false;
  }
  return true;
}

/** Set by readFields: where the fields end. */
let fieldsEnd: usize = 0;

/** Another layout of `table` that the fields at `start` have; 0 when there is none. It is tried first the next time. */
function findLayout(table: usize, tried: usize, start: usize): usize {
  let layout = load<u32>(table + 8) as usize;
  while (layout != 0) {
    if (layout != tried) {
      if (logEnd + ROW_HEAD + (load<u32>(layout + 4) as usize << 3) > logMax) return 0;
      if (readFields(layout, start) != 0) {
        store<u32>(table + 4, layout as u32);
        return layout;
      }
    }
    layout = load<u32>(layout + 8) as usize;
  }
  return 0;
}

/** Puts the fields at `start` into the log's next row; answers where they end, or 0 where they are not of this layout. */
function readFields(layout: usize, start: usize): usize {
  let from = start;
  let target = logEnd + ROW_HEAD;
  let field = layout + LAYOUT_HEAD;
  const stop = field + (load<u32>(layout + 4) as usize) * FIELD_SIZE;
  while (field < stop) {
    const size = load<u32>(field + 4) as usize;
    if (from + size >= end || !same(from, load<u32>(field) as usize, size)) return 0;
    from = readValue(load<u32>(field + 8), from + size, target);
    if (from == 0) return 0;
    field += FIELD_SIZE;
    target += 8;
  }
  // A comma means that the line has more fields than the layout.
  if (load<u8>(from) as u32 == COMMA) return 0;
  fieldsEnd = from;
  return from;
}

/** Puts the value of `kind` at `start` into `target`; answers where it ends: at a comma, a space or a newline. 0 where it is another. */
@inline
function readValue(kind: u32, start: usize, target: usize): usize {
  if (kind == BOOLEAN) return readBoolean(start, target);
  let from = start;
  let byte = load<u8>(from) as u32;
  const negative = byte == MINUS;
  if (negative) {
    from += 1;
    byte = load<u8>(from) as u32;
  }
  const digitsAt = from;
  let digits: u64 = 0;
  let digit = byte - 48;
  while (digit < 10) {
    digits = digits * 10 + digit;
    from += 1;
    digit = (load<u8>(from) as u32) - 48;
  }
  let count = from - digitsAt;
  if (count == 0 || count > DIGIT_COUNT_MAX) return 0;
  byte = digit + 48;
  if (kind == INTEGER) {
    if (byte != 105) return 0;
    store<i64>(target, negative ? -(digits as i64) : digits as i64);
    return valueEnd(from + 1);
  }
  if (kind == UINTEGER) {
    if (byte != 117 || negative) return 0;
    store<u64>(target, digits);
    return valueEnd(from + 1);
  }
  let fraction: usize = 0;
  if (byte == DOT) {
    from += 1;
    const fractionAt = from;
    digit = (load<u8>(from) as u32) - 48;
    while (digit < 10) {
      digits = digits * 10 + digit;
      from += 1;
      digit = (load<u8>(from) as u32) - 48;
    }
    fraction = from - fractionAt;
    count += fraction;
    if (fraction == 0 || count > DIGIT_COUNT_MAX || fraction > FRACTION_MAX) return 0;
  }
  // Two doubles that are exact, and one division, which rounds correctly (Clinger 1990).
  if (digits >= EXACT_BELOW) return 0;
  const value = (digits as f64) / load<f64>(POWERS + (fraction << 3));
  store<f64>(target, negative ? -value : value);
  return valueEnd(from);
}

@inline
function valueEnd(from: usize): usize {
  const byte = load<u8>(from) as u32;
  return from <= end && (byte == COMMA || byte == SPACE || byte == NEWLINE) ? from : 0;
}

function readBoolean(start: usize, target: usize): usize {
  const byte = load<u8>(start) as u32;
  const isTrue = byte == 116 || byte == 84;
  if (!isTrue && byte != 102 && byte != 70) return 0;
  store<u64>(target, isTrue ? 1 : 0);
  const short = valueEnd(start + 1);
  if (short != 0) return short;
  const word = load<u32>(start);
  if (isTrue) {
    // true, True, TRUE
    return word == 0x65757274 || word == 0x65757254 || word == 0x45555254 ? valueEnd(start + 4) : 0;
  }
  const last = load<u8>(start + 4) as u32;
  // false, False, FALSE
  const small = (word == 0x736c6166 || word == 0x736c6146) && last == 101;
  return small || (word == 0x534c4146 && last == 69) ? valueEnd(start + 5) : 0;
}

/** Set by readTime. */
let lineTime: i64 = 0;

/** Reads what stands behind the fields, at `start`; answers where the next line begins, or 0 where it is no plain timestamp. */
@inline
function readTime(start: usize): usize {
  if (load<u8>(start) as u32 == NEWLINE) {
    lineTime = defaultTime;
    return start + 1;
  }
  const from = start + 1;
  if (timeSize != 0 && same(from, timeAt, timeSize) && load<u8>(from + timeSize) as u32 == NEWLINE) {
    lineTime = time;
    return from + timeSize + 1;
  }
  return workOutTime(from);
}

function workOutTime(start: usize): usize {
  const negative = load<u8>(start) as u32 == MINUS;
  const digitsAt = negative ? start + 1 : start;
  let from = digitsAt;
  let digits: u64 = 0;
  let digit = (load<u8>(from) as u32) - 48;
  while (digit < 10) {
    digits = digits * 10 + digit;
    from += 1;
    digit = (load<u8>(from) as u32) - 48;
  }
  const count = from - digitsAt;
  if (count == 0 || count > DIGIT_COUNT_MAX + 1 || digit + 48 != NEWLINE || from > end) return 0;
  const scale = unit == 0 ? unitOf(digits) : unit;
  if (digits > TIME_MAX / scale) return 0;
  const value = (digits * scale) as i64;
  time = negative ? -value : value;
  timeAt = start;
  timeSize = from - start;
  lineTime = time;
  return from + 1;
}

function unitOf(magnitude: u64): u64 {
  if (magnitude < 5000000000) return 1000000000;
  if (magnitude < 5000000000000) return 1000000;
  return magnitude < 5000000000000000 ? 1000 : 1;
}
