import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { parsePattern } from "./pattern.ts";
import { readPattern } from "./read-pattern.ts";
import { momentOf, writePattern } from "./write-pattern.ts";
import { findZone } from "./zone.ts";

/** 2001-07-08T00:34:59.026000456Z, a Sunday. */
const TIME = 994_552_499_026_000_456n;

const WRITTEN: readonly (readonly [string, string, string?])[] = [
  ["%Y-%m-%d %H:%M:%S%.3f", "2001-07-08 00:34:59.026"],
  ["%D|%F|%v|%x", "07/08/01|2001-07-08| 8-Jul-2001|07/08/01"],
  ["%j %U %W %G-W%V-%u %w %g %y %C %q", "189 27 27 2001-W27-7 0 01 01 20 3"],
  ["%-d/%_m/%0e %k %l %I %P %p", "8/ 7/08  0 12 12 am AM"],
  ["%A %a %B %b %h", "Sunday Sun July Jul Jul"],
  ["%.f %.6f %.9f %3f %f %s", ".026000456 .026000 .026000456 026 026000456 994552499"],
  ["%c%t%n%%", "Sun Jul  8 00:34:59 2001\t\n%"],
  ["%+", "2001-07-08T02:34:59.026000456+02:00", "Europe/Paris"],
  ["%z %:z %::z %:::z", "+0530 +05:30 +05:30:00 +05", "+05:30"],
  ["%R %T %X %r", "02:34 02:34:59 02:34:59 02:34:59 AM", "Europe/Paris"],
];

const READ: readonly (readonly [string, string, string])[] = [
  ["%m-%d-%Y %H:%M:%S%#z", "01-14-2023 01:01:30+05:30", "2023-01-13T19:31:30.000Z"],
  ["%#z%Y-%m-%d", "Z2024-02-29", "2024-02-29T00:00:00.000Z"],
  ["%+", "2031-01-19T23:33:25.5+05:00", "2031-01-19T18:33:25.500Z"],
  ["%s", "1926632005", "2031-01-19T23:33:25.000Z"],
  ["%c", "Sun Jul  8 00:34:59 2001", "2001-07-08T00:34:59.000Z"],
  ["%d %B %Y, %I:%M %p", "8 july 2001, 12:34 PM", "2001-07-08T12:34:00.000Z"],
  ["%Y-%j", "2024-060", "2024-02-29T00:00:00.000Z"],
  ["%G-W%V-%u", "2001-W27-7", "2001-07-08T00:00:00.000Z"],
  ["%Y %U %w", "2001 27 0", "2001-07-08T00:00:00.000Z"],
  ["%y%m%d", "690101", "2069-01-01T00:00:00.000Z"],
];

const UNREAD: readonly (readonly [string, string])[] = [
  ["%Y-%m-%d", "2024-02-30"],
  ["%Y-%m-%d", "2024-02-03 "],
  ["%H:%M", "12:30"],
  ["%a %Y-%m-%d", "Mon 2001-07-08"],
  ["%Y-%m-%d %H", "2001-07-08 24"],
  ["%Y-%m-%d %I", "2001-07-08 11"],
  ["%Y %Y-%m-%d", "2002 2001-07-08"],
];

suite("patterns of times", () => {
  for (const [pattern, expected, zone] of WRITTEN) {
    test(`${JSON.stringify(pattern)} is written`, () => {
      const moment = momentOf(TIME, zone === undefined ? undefined : findZone(zone));
      assert.equal(writePattern(parsePattern(pattern) ?? [], moment), expected);
    });
  }

  for (const [pattern, text, expected] of READ) {
    test(`"${text}" is read by "${pattern}"`, () => {
      const instant = readPattern(parsePattern(pattern) ?? [], text);
      assert.equal(instant, BigInt(Date.parse(expected)) * 1_000_000n);
    });
  }

  for (const [pattern, text] of UNREAD) {
    test(`"${text}" is not read by "${pattern}"`, () => {
      assert.equal(readPattern(parsePattern(pattern) ?? [], text), undefined);
    });
  }

  test("a pattern with a specifier that is none is none", () => {
    for (const pattern of ["%Q", "%", "%-", "%.2f", "%+%E", "%:::::z"]) {
      assert.equal(parsePattern(pattern), undefined, pattern);
    }
  });

  test("what a time has not is not written", () => {
    const ofDay = { day: undefined, timeOfDayNs: 1n, offsetNs: undefined };
    assert.equal(writePattern(parsePattern("%H") ?? [], ofDay), "00");
    assert.equal(writePattern(parsePattern("%Y") ?? [], ofDay), undefined);
    assert.equal(writePattern(parsePattern("%z") ?? [], momentOf(TIME, undefined)), undefined);
  });

  test("any instant that is written in full is read again", () => {
    const patterns = [
      "%+",
      "%Y-%m-%d %H:%M:%S.%f %z",
      "%s.%9f",
      "%A, %-d %B %Y %I:%M:%S%.9f %p %z",
    ];
    const zone = findZone("+05:30");
    fc.assert(
      fc.property(
        fc.constantFrom(...patterns),
        fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
        (pattern, time) => {
          fc.pre(!pattern.startsWith("%s") || time > 0n);
          const items = parsePattern(pattern) ?? [];
          const text = writePattern(items, momentOf(time, zone)) ?? "";
          assert.equal(readPattern(items, text), time, text);
        },
      ),
    );
  });

  test("no text and no pattern throws", () => {
    const text = fc.string({
      unit: fc.constantFrom(..."%YmdHMSfz:+-. 0123456789aJulZ".split("")),
      maxLength: 20,
    });
    fc.assert(
      fc.property(text, text, (pattern, value) => {
        const items = parsePattern(pattern);
        if (items === undefined) return;
        readPattern(items, value);
        writePattern(items, momentOf(TIME, undefined));
      }),
      { numRuns: 2_000 },
    );
  });
});
