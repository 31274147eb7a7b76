// The lines of a body that look like lines before them: same series, same fields in the same order, plain numbers. Everything else is
// left to the plain reader, which then teaches this what it saw (fast-parser.ts). Compiled to lines.wasm by `npm run wasm`.
//
// All memory is laid out by the host. The body is followed by a newline and 64 bytes of 0, so that no scan and no load of 16 bytes
// leaves it.
//
//   series   32 bytes each, from number 1:  keyAt u32, keySize u32, table u32, next u32 (the series that came behind it last), and
//            tag layout u32, texts u32 where it was found here: a list of the numbers of its tags' texts
//   slots    a hash table of series numbers, 0 is free
//   texts    16 bytes each, from number 1:  at u32, size u32, domain u32 (which column of which table), hash u32. No two of a
//            domain are the same, without their backslashes. Their slots are as those of series
//   tags     layouts of tags: table u32, count u32, next u32, 0 u32, then for each tag: keyAt u32, keySize u32 (the first with the name
//            of the table), domain u32, 0 u32
//   table    rows u32, layout u32 (the last that fitted), first layout u32, then for `scatter`: next row u32, and where to write
//            times u32, lines u32, series u32, layouts u32, and a list of places u32, one a column
//   layout   table u32, count u32, next layout u32, rows u32, then for each field: keyAt u32, keySize u32, kind u32, column u32,
//            domain u32, 0 u32
//   log      for each row: layout u32, series u32, line u32, 0 u32, time i64, then 8 bytes a field; for a row of the plain reader
//            that stands in between: 0 u32, table u32

const SPACE: u32 = 32;
const NEWLINE: u32 = 10;
const COMMA: u32 = 44;
const MINUS: u32 = 45;
const DOT: u32 = 46;
const PLUS: u32 = 43;
const EQUALS: u32 = 61;
const QUOTE: u32 = 34;
const TAB: u32 = 9;
const BACKSLASH: u32 = 92;

const FLOAT: u32 = 0;
const INTEGER: u32 = 1;
const UINTEGER: u32 = 2;
const BOOLEAN: u32 = 3;
const STRING: u32 = 4;

const SERIES_SHIFT: usize = 5;
const LAYOUT_HEAD: usize = 16;
const FIELD_SIZE: usize = 24;
const TAG_SIZE: usize = 16;
const TEXT_SHIFT: usize = 4;
const ROW_HEAD: usize = 24;
const GAP_SIZE: usize = 8;
/** Slots that a key may be away from its own: with more, somebody has chosen keys that meet. */
const PROBE_COUNT: u32 = 16;
/** Whole numbers that a double holds exactly, whatever they are, are below this. */
const EXACT_BELOW: u64 = 1 << 53;
/** Digits that 64 bits hold, whatever they are. */
const DIGIT_COUNT_MAX: usize = 19;
const WHOLE_DIGIT_COUNT_MAX: usize = 18;
const EXACT_POWER_MAX: i32 = 22;
const POWER_MIN: i32 = -342;
const POWER_MAX: i32 = 308;
const TIME_MAX: u64 = 0x7fffffffffffffff;

const POWERS = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]);

/** Answers of `parse`. */
const ENDED: u32 = 0;
const ODD: u32 = 1;
const FULL: u32 = 2;
const TEXTS_FULL: u32 = 3;

/** Where the next line begins; lines that said something so far. */
export let at: usize = 0;
export let lineCount: u32 = 0;
/** Where the log ends. */
let logEnd: usize = 0;

let end: usize = 0;
let seriesAt: usize = 0;
let seriesMax: u32 = 0;
export let seriesCount: u32 = 0;
let slotsAt: usize = 0;
let slotMask: u32 = 0;
let logMax: usize = 0;
let lastSeries: u32 = 0;
let textsAt: usize = 0;
let textMax: u32 = 0;
export let textCount: u32 = 0;
let textSlotsAt: usize = 0;
let textSlotMask: u32 = 0;
/** A text had no room: the host makes more. */
export let textsFull: bool = false;
/** Lists of texts of series, and texts that had backslashes, one behind the other. */
let listsEnd: usize = 0;
let plainEnd: usize = 0;
/** The first layout of tags, and the one that fitted last. */
let firstTags: usize = 0;
let lastTags: usize = 0;
let nameMax: usize = 0;
let stringMax: usize = 0;
/** For each power of ten from POWER_MIN on, its first 128 bits: high u64, low u64. */
let powersAt: usize = 0;
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

/** The texts of the body: `lists` and `plain` have room for as many bytes as the body has. */
export function beginTexts(lists: usize, plain: usize, nameSizeMax: usize, stringSizeMax: usize, powers: usize): void {
  textCount = 0;
  textMax = 0;
  textSlotMask = 0;
  textsFull = false;
  listsEnd = lists;
  plainEnd = plain;
  firstTags = 0;
  lastTags = 0;
  nameMax = nameSizeMax;
  stringMax = stringSizeMax;
  powersAt = powers;
}

/**
 * Makes room for `max` texts, more than before. The slots are all 0, and a power of two, more than before: so that no text comes to
 * stand farther from its own one.
 */
export function growTexts(texts: usize, max: u32, slots: usize, slotCount: u32): void {
  const mask = slotCount - 1;
  for (let number: u32 = 1; number <= textCount; number += 1) {
    let slot = load<u32>(textsAt + ((number as usize) << TEXT_SHIFT) + 12);
    while (load<u32>(slots + ((slot & mask) as usize << 2)) != 0) slot += 1;
    store<u32>(slots + ((slot & mask) as usize << 2), number);
  }
  memory.copy(texts, textsAt, ((textCount + 1) as usize) << TEXT_SHIFT);
  textsAt = texts;
  textMax = max;
  textSlotsAt = slots;
  textSlotMask = mask;
  textsFull = false;
}

/** The number of a text without backslashes that stand before what they escape; 0 where there is no room for it. */
export function intern(domain: u32, start: usize, size: usize): u32 {
  const hashed = hash(start, size) ^ domain * 0x9e3779b1;
  for (let probe: u32 = 0; probe < PROBE_COUNT; probe += 1) {
    const place = textSlotsAt + (((hashed + probe) & textSlotMask) as usize << 2);
    const known = textMax == 0 ? 0 : load<u32>(place);
    if (known != 0) {
      const entry = textsAt + ((known as usize) << TEXT_SHIFT);
      if (load<u32>(entry + 12) != hashed || load<u32>(entry + 8) != domain || load<u32>(entry + 4) as usize != size) continue;
      if (same(start, load<u32>(entry) as usize, size)) return known;
      continue;
    }
    if (textCount == textMax) {
      textsFull = true;
      return 0;
    }
    textCount += 1;
    const entry = textsAt + ((textCount as usize) << TEXT_SHIFT);
    store<u32>(entry, start as u32);
    store<u32>(entry + 4, size as u32);
    store<u32>(entry + 8, domain);
    store<u32>(entry + 12, hashed);
    store<u32>(place, textCount);
    return textCount;
  }
  return 0;
}

/**
 * Writes the `count` texts whose numbers stand at `numbers` one behind the other to `out`, and how long each is in UTF-16 to `lengths`;
 * answers where they end.
 */
export function gatherTexts(numbers: usize, count: usize, lengths: usize, out: usize): usize {
  let target = out;
  for (let i: usize = 0; i < count; i += 1) {
    const entry = textsAt + ((load<u32>(numbers + (i << 2)) as usize) << TEXT_SHIFT);
    const from = load<u32>(entry) as usize;
    const size = load<u32>(entry + 4) as usize;
    memory.copy(target, from, size);
    store<u32>(lengths + (i << 2), lengthOf(target, size));
    target += size;
  }
  return target;
}

/** UTF-16 units: one for each byte that begins a character, and one more for those of four bytes. */
function lengthOf(start: usize, size: usize): u32 {
  const stop = start + size;
  let length: u32 = 0;
  for (let from = start; from < stop; from += 1) {
    const byte = load<u8>(from) as u32;
    length += ((byte & 0xc0) != 0x80 ? 1 : 0) + (byte >= 0xf0 ? 1 : 0);
  }
  return length;
}

/** The bytes that those texts take. */
export function sizeOfTexts(numbers: usize, count: usize): usize {
  let size: usize = 0;
  for (let i: usize = 0; i < count; i += 1) size += load<u32>(textsAt + ((load<u32>(numbers + (i << 2)) as usize) << TEXT_SHIFT) + 4) as usize;
  return size;
}

/** Tags of new series may be made up as `tags` says. */
export function addTags(tags: usize): void {
  store<u32>(tags + 8, firstTags as u32);
  firstTags = tags;
  lastTags = tags;
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
    store<u32>(entry + 16, 0);
    store<u32>(place, seriesCount);
    return follow(seriesCount);
  }
  return 0;
}

/**
 * Makes a row of each line up to one that is not like others: ODD, `at` is its first byte; FULL where the log is; TEXTS_FULL where there
 * is no room for a text of it.
 */
export function parse(): u32 {
  const status = parseLines();
  return status == ODD && textsFull ? TEXTS_FULL : status;
}

function parseLines(): u32 {
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
      const kind = load<u32>(field + 8);
      if (kind == BOOLEAN) store<u8>(target + row, load<u8>(value));
      else if (kind == STRING) store<u32>(target + (row << 2), load<u32>(value));
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
    const place = slotsAt + (((slot + probe) & slotMask) as usize << 2);
    const known = load<u32>(place);
    if (known == 0) return addSeries(keyEnd, place);
    if (isKey(known, at, size)) return known;
  }
  return 0;
}

/** The series that the line at `at` is the first of, put into the free slot `place`; 0 where its tags are not like others. */
function addSeries(keyEnd: usize, place: usize): u32 {
  if (seriesCount == seriesMax || lastTags == 0) return 0;
  let tags = lastTags;
  if (!readTags(tags, keyEnd)) {
    tags = firstTags;
    while (tags != 0 && (tags == lastTags || !readTags(tags, keyEnd))) tags = load<u32>(tags + 8) as usize;
    if (tags == 0) return 0;
    lastTags = tags;
  }
  seriesCount += 1;
  const entry = seriesAt + (seriesCount as usize << SERIES_SHIFT);
  store<u32>(entry, at as u32);
  store<u32>(entry + 4, (keyEnd - at) as u32);
  store<u32>(entry + 8, load<u32>(tags));
  store<u32>(entry + 12, 0);
  store<u32>(entry + 16, tags as u32);
  store<u32>(entry + 20, listsEnd as u32);
  listsEnd += (load<u32>(tags + 4) as usize) << 2;
  store<u32>(place, seriesCount);
  return seriesCount;
}

/** Writes the numbers of the texts of the tags in [`at`, `keyEnd`) behind the lists, if they are made up as `tags` says. */
function readTags(tags: usize, keyEnd: usize): bool {
  let from = at;
  let target = listsEnd;
  let tag = tags + LAYOUT_HEAD;
  const stop = tag + (load<u32>(tags + 4) as usize) * TAG_SIZE;
  while (tag < stop) {
    const size = load<u32>(tag + 4) as usize;
    if (from + size >= keyEnd || !same(from, load<u32>(tag) as usize, size)) return false;
    from += size;
    const after = findTagEnd(from, keyEnd);
    if (after == 0 || after == from) return false;
    const number = tagHasBackslash ? internTag(load<u32>(tag + 8), from, after) : internShort(load<u32>(tag + 8), from, after - from, nameMax);
    if (number == 0) return false;
    store<u32>(target, number);
    target += 4;
    from = after;
    tag += TAG_SIZE;
  }
  return from == keyEnd;
}

/** Set by findTagEnd. */
let tagHasBackslash: bool = false;

/** Where the value of a tag ends that begins at `start`: at a comma, or at `keyEnd`; 0 where a tab or a newline is in it. */
@inline
function findTagEnd(start: usize, keyEnd: usize): usize {
  const commas = i8x16.splat(44);
  const backslashes = i8x16.splat(92);
  // Tabs are 9, newlines 10.
  const blanks = i8x16.splat(2);
  const tabs = i8x16.splat(9);
  tagHasBackslash = false;
  let from = start;
  while (from < keyEnd) {
    const bytes = v128.load(from);
    const marks = v128.or(i8x16.eq(bytes, commas), v128.or(i8x16.eq(bytes, backslashes), i8x16.lt_u(i8x16.sub(bytes, tabs), blanks)));
    const found = i8x16.bitmask(marks);
    if (found == 0) {
      from += 16;
      continue;
    }
    from += ctz(found) as usize;
    if (from >= keyEnd) return keyEnd;
    const byte = load<u8>(from) as u32;
    if (byte == COMMA) return from;
    if (byte != BACKSLASH) return 0;
    tagHasBackslash = true;
    from += 2;
  }
  return keyEnd;
}

@inline
function internShort(domain: u32, start: usize, size: usize, sizeMax: usize): u32 {
  return size > sizeMax ? 0 : intern(domain, start, size);
}

function internTag(domain: u32, start: usize, stop: usize): u32 {
  let target = plainEnd;
  let from = start;
  while (from < stop) {
    let byte = load<u8>(from) as u32;
    from += 1;
    if (byte == BACKSLASH) {
      const next = load<u8>(from) as u32;
      // A tag that ends so is bad.
      if (next == BACKSLASH && from + 1 == stop) return 0;
      if (from < stop && (next == BACKSLASH || next == COMMA || next == EQUALS || next == SPACE)) {
        byte = next;
        from += 1;
      }
    }
    store<u8>(target, byte);
    target += 1;
  }
  return internPlain(domain, target, nameMax);
}

/** The text between the end of the others without backslashes and `stop`. */
function internPlain(domain: u32, stop: usize, sizeMax: usize): u32 {
  const count = textCount;
  const number = internShort(domain, plainEnd, stop - plainEnd, sizeMax);
  if (textCount > count) plainEnd = stop;
  return number;
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
  if (size < 8) {
    const some = size == 0 ? 0 : load<u64>(key) << ((8 - size) << 3);
    mixed = rotl<u64>(mixed ^ some, 29) * 0xbf58476d1ce4e5b9;
  } else {
    const last = key + size - 8;
    for (let from = key; from < last; from += 8) mixed = rotl<u64>(mixed ^ load<u64>(from), 29) * 0xbf58476d1ce4e5b9;
    mixed = rotl<u64>(mixed ^ load<u64>(last), 29) * 0x94d049bb133111eb;
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
    from = readValue(load<u32>(field + 8), from + size, target, field);
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
function readValue(kind: u32, start: usize, target: usize, field: usize): usize {
  if (kind == BOOLEAN) return readBoolean(start, target);
  if (kind == STRING) return readString(load<u32>(field + 16), start, target);
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
  if (count == 0) return 0;
  byte = digit + 48;
  if (kind == INTEGER) {
    if (byte != 105 || count > WHOLE_DIGIT_COUNT_MAX) return 0;
    store<i64>(target, negative ? -(digits as i64) : digits as i64);
    return valueEnd(from + 1);
  }
  if (kind == UINTEGER) {
    if (byte != 117 || negative || count > WHOLE_DIGIT_COUNT_MAX) return 0;
    store<u64>(target, digits);
    return valueEnd(from + 1);
  }
  let power: i32 = 0;
  if (byte == DOT) {
    from += 1;
    const fractionAt = from;
    digit = (load<u8>(from) as u32) - 48;
    while (digit < 10) {
      digits = digits * 10 + digit;
      from += 1;
      digit = (load<u8>(from) as u32) - 48;
    }
    const fraction = from - fractionAt;
    if (fraction == 0) return 0;
    count += fraction;
    power = -(fraction as i32);
    byte = digit + 48;
  }
  if (count > DIGIT_COUNT_MAX && count - zeroCount(digitsAt) > DIGIT_COUNT_MAX) return 0;
  if ((byte | 32) == 101) {
    from = readExponent(from + 1);
    if (from == 0) return 0;
    power += exponent;
  }
  // Two doubles that are exact, and one operation, which rounds correctly (Clinger 1990).
  if (digits < EXACT_BELOW && power <= 0 && power >= -EXACT_POWER_MAX) {
    const value = (digits as f64) / load<f64>(POWERS + ((-power as usize) << 3));
    store<f64>(target, negative ? -value : value);
    return valueEnd(from);
  }
  return scale(digits, power, negative, target) ? valueEnd(from) : 0;
}

/** Zeros that stand before the other digits, from `start` on. */
function zeroCount(start: usize): usize {
  let from = start;
  let count: usize = 0;
  let byte = load<u8>(from) as u32;
  while (byte == 48 || byte == DOT) {
    if (byte == 48) count += 1;
    from += 1;
    byte = load<u8>(from) as u32;
  }
  return count;
}

/** Set by readExponent. */
let exponent: i32 = 0;

/** Reads what stands behind the `e` of a float; answers where it ends, or 0 where it is none, or not a usual one. */
function readExponent(start: usize): usize {
  let from = start;
  let byte = load<u8>(from) as u32;
  const negative = byte == MINUS;
  if (negative || byte == PLUS) {
    from += 1;
    byte = load<u8>(from) as u32;
  }
  const digitsAt = from;
  let value: i32 = 0;
  let digit = byte - 48;
  while (digit < 10) {
    value = value * 10 + (digit as i32);
    from += 1;
    digit = (load<u8>(from) as u32) - 48;
  }
  const count = from - digitsAt;
  if (count == 0 || count > 5) return 0;
  exponent = negative ? -value : value;
  return from;
}

/**
 * Puts the double nearest to `digits` times 10^`power` into `target`; answers false where it takes more than 128 bits of the power to
 * tell, and for numbers too small or too large to be normal (Lemire, "Number parsing at a gigabyte per second", 2021, section 5).
 */
function scale(digits: u64, power: i32, negative: bool, target: usize): bool {
  const sign: u64 = negative ? 0x8000000000000000 : 0;
  if (digits == 0) {
    store<u64>(target, sign);
    return true;
  }
  if (power < POWER_MIN || power > POWER_MAX) return false;
  const shift = clz(digits);
  const scaled = digits << shift;
  const entry = powersAt + ((power - POWER_MIN) as usize << 4);
  multiply(scaled, load<u64>(entry));
  let high = productHigh;
  let low = productLow;
  if ((high & 0x1ff) == 0x1ff) {
    multiply(scaled, load<u64>(entry + 8));
    low += productHigh;
    if (low < productHigh) high += 1;
    if (low == 0xffffffffffffffff && (power < -27 || power > 55)) return false;
  }
  const top = high >> 63;
  let mantissa = high >> (top + 9);
  // 217706 / 2^16 is the binary logarithm of ten.
  let binary: i32 = ((217706 * power) >> 16) + 1086 + (top as i32) - (shift as i32);
  if (binary <= 0) return false;
  // Exactly half way: to even.
  if (low <= 1 && power >= -4 && power <= 23 && (mantissa & 3) == 1 && mantissa << (top + 9) == high) mantissa &= ~(1 as u64);
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa >= EXACT_BELOW) {
    mantissa = EXACT_BELOW >> 1;
    binary += 1;
  }
  if (binary >= 0x7ff) return false;
  store<u64>(target, sign | ((binary as u64) << 52) | (mantissa & 0xfffffffffffff));
  return true;
}

/** Set by multiply. */
let productHigh: u64 = 0;
let productLow: u64 = 0;

@inline
function multiply(left: u64, right: u64): void {
  const leftLow = left & 0xffffffff;
  const leftHigh = left >> 32;
  const rightLow = right & 0xffffffff;
  const rightHigh = right >> 32;
  const lows = leftLow * rightLow;
  const first = leftHigh * rightLow + (lows >> 32);
  const second = leftLow * rightHigh + (first & 0xffffffff);
  productHigh = leftHigh * rightHigh + (first >> 32) + (second >> 32);
  productLow = left * right;
}

/** Puts the number of the text between the quote at `start` and the next one into `target`; answers where the value ends. */
function readString(domain: u32, start: usize, target: usize): usize {
  if (load<u8>(start) as u32 != QUOTE) return 0;
  const quotes = i8x16.splat(34);
  const backslashes = i8x16.splat(92);
  let hasBackslash = false;
  let from = start + 1;
  for (;;) {
    if (from >= end) return 0;
    const bytes = v128.load(from);
    const found = i8x16.bitmask(v128.or(i8x16.eq(bytes, quotes), i8x16.eq(bytes, backslashes)));
    if (found == 0) {
      from += 16;
      continue;
    }
    from += ctz(found) as usize;
    if (from >= end) return 0;
    if (load<u8>(from) as u32 == QUOTE) break;
    hasBackslash = true;
    from += 2;
  }
  const after = valueEnd(from + 1);
  if (after == 0) return 0;
  const number = hasBackslash ? internString(domain, start + 1, from) : internShort(domain, start + 1, from - start - 1, stringMax);
  if (number == 0) return 0;
  store<u64>(target, number);
  return after;
}

function internString(domain: u32, start: usize, stop: usize): u32 {
  let target = plainEnd;
  let from = start;
  while (from < stop) {
    let byte = load<u8>(from) as u32;
    from += 1;
    if (byte == BACKSLASH) {
      const next = load<u8>(from) as u32;
      if (next == BACKSLASH || next == QUOTE) {
        byte = next;
        from += 1;
      }
    }
    store<u8>(target, byte);
    target += 1;
  }
  return internPlain(domain, target, stringMax);
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
  if (count == 0 || count > DIGIT_COUNT_MAX || digit + 48 != NEWLINE || from > end) return 0;
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
