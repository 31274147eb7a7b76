import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { readV1Line } from "./v1-line.ts";

/** What influxd 1.6.7 says of each. */
const REFUSED: readonly [line: string, reason: string][] = [
  ["cpu", "missing fields"],
  ["cpu,host=a", "missing fields"],
  [",host=a u=1 1", "missing measurement"],
  ["cpu,", "missing tag key"],
  ["cpu,=a u=1 1", "missing tag key"],
  ["cpu,host=a,,b=c u=1 1", "missing tag key"],
  ["cpu,host u=1", "missing tag value"],
  ["cpu,host= u=1 1", "missing tag value"],
  ["cpu,host=a=b u=1 1", "invalid tag format"],
  ["cpu,a=b\\ u=1 1", "invalid tag format"],
  ["cpu,b=1,a=2,b=3 u=1 1", "duplicate tags"],
  ["cpu u", "invalid field format"],
  ["bad line here", "invalid field format"],
  ["cpu u=1,", "invalid field format"],
  ["cpu u=1,,v=2", "invalid field format"],
  ['cpu u=1,"x 1', "invalid field format"],
  ["cpu =1", "missing field key"],
  ["cpu u=1,=2 1", "missing field key"],
  ["cpu u=,v=1 1", "missing field value"],
  ["cpu,host=a u=1,v= 1", "missing field value"],
  ["cpu u=abc 1", "invalid boolean"],
  ['cpu u=1,u="x" 1', "field type conflict"],
  ["cpu f=+5 1", "invalid boolean"],
  ["cpu u=tRUE 1", "invalid boolean"],
  ["cpu ,a=b u=1 1", "invalid boolean"],
  ["cpu u=NaN 1", "invalid number"],
  ["cpu u=1.2.3 1", "invalid number"],
  ["cpu u=-i 1", "invalid number"],
  ["cpu u=. 1", "invalid number"],
  ["cpu u=1u 1", "invalid number"],
  ["cpu u=1.5i 1", "invalid number"],
  ["cpu u=1e 1", "invalid float"],
  ["cpu u=1e400 1", "invalid float"],
  [
    "cpu i=9223372036854775808i 1",
    'unable to parse integer 9223372036854775808: strconv.ParseInt: parsing "9223372036854775808": value out of range',
  ],
  ['cpu s="unterminated 1', "unbalanced quotes"],
  ['cpu u="a\\\\\\" 1', "unbalanced quotes"],
  ["cpu u=1 notatime", "bad timestamp"],
  ["cpu u=1 1.5", "bad timestamp"],
  ["cpu u=1 v=2", "bad timestamp"],
  ["cpu u=1 1 2", "point is invalid"],
  ["cpu u=1 -", 'strconv.ParseInt: parsing "-": invalid syntax'],
  ["cpu u=1 -9223372036854775807", "time outside range -9223372036854775806 - 9223372036854775806"],
  [
    "cpu u=1 99999999999999999999",
    'strconv.ParseInt: parsing "99999999999999999999": value out of range',
  ],
];

const TAKEN: readonly [line: string, text: string][] = [
  ["cpu u=1,u=2 5", "cpu u=2 5"],
  ["cpu f=.5 5", "cpu f=0.5 5"],
  ["cpu f=-.5e3 5", "cpu f=-0.5e3 5"],
  ["cpu f=5.,g=5.e1 5", "cpu f=5.0,g=5.0e1 5"],
  ["  m\tx,a=b f=1", "m\\\tx,a=b f=1"],
  ["cpu,core=1,t=a core=2i 1", "cpu,core_1=1,t=a core=2i 1"],
  ["cpu,host==b u=1 1", "cpu,host=\\=b u=1 1"],
  ['cpu u="a"b 1', 'cpu u="a\\"" 1'],
  ['cpu u="a,b=c d\\"\\\\",v=T  1  ', 'cpu u="a,b=c d\\"\\\\",v=T 1'],
  ["cpu time=1,u=2 1", "cpu u=2 1"],
  ["cpu time=1 1", "cpu time=1 1"],
];

suite("lines as InfluxDB 1 reads them", () => {
  for (const [line, reason] of REFUSED) {
    test(`${line} is refused: ${reason}`, () => {
      assert.deepEqual(readV1Line(line, 1n), { kind: "refused", reason });
    });
  }

  for (const [line, text] of TAKEN) {
    test(`${line} is taken as ${text}`, () => {
      const read = readV1Line(line, 1n);
      assert.equal(read.kind === "taken" && read.text, text);
      // What is strict already stays as it is.
      const again = readV1Line(text, 1n);
      assert.equal(again.kind === "taken" && again.text.replaceAll("\\\\\t", "\\\t"), text);
    });
  }

  test("any text is read to its end, in time that follows its length", () => {
    const piece = fc.constantFrom("m", ",", "=", " ", '"', "\\", "1", ".", "i", "t", "-", "e");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const read = readV1Line(pieces.join(""), 1n);
        assert.ok(read.kind === "taken" || read.reason !== "");
      }),
    );
    readV1Line(`m${",a=b".repeat(100_000)} f=1`, 1n);
  });
});
