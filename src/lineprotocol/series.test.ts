import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { array, assert as assertProperty, constantFrom, property, tuple } from "fast-check";
import type { ParsedBody } from "./parsed.ts";
import { parseText, rowsOf } from "./rows.ts";

function summary(bodies: readonly ParsedBody[]) {
  return {
    rejectedCount: bodies.reduce((sum, { rejectedCount }) => sum + rejectedCount, 0),
    rows: bodies.flatMap(rowsOf).map(({ cells, table, timeNs }) => ({ cells, table, timeNs })),
  };
}

/** One body gives what its lines give, each in a body of its own. */
function assertAsAlone(lines: readonly string[]): void {
  const alone = lines.map((line) => parseText(line));
  assert.deepEqual(summary([parseText(lines.join("\n"))]), summary(alone));
}

suite("tags that come again in the same order", () => {
  test("read as they do alone, whatever is close to them", () => {
    const tags = [
      ",a=x,b=y",
      ",a=x,b=yz",
      ",a=x,b=",
      ",a=x",
      "",
      ",b=y,a=x",
      ",a=x,b=y,a=x",
      String.raw`,a=x,b=y\ `,
      String.raw`,a=x\,,b=y`,
      ",a=x,b=ü",
    ];
    const tails = [" f=1 1", " f=1,a=2i 1", "\tf=1 1", " f= 1", " 1", ",c=z f=1 1", ""];
    const line = tuple(constantFrom(...tags), constantFrom(...tails));
    assertProperty(
      property(
        array(line, { minLength: 1, maxLength: 6 }),
        array(line, { maxLength: 4 }),
        (round, others) => {
          // The same round three times, then something else at its place.
          const all = [round, round, round, others, round].flat();
          assertAsAlone(all.map(([tag, tail]) => `t${tag}${tail}`));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("stay with their own table", () => {
    const lines = ["s,a=x f=1 1", "t,a=y f=1 1", "s,a=y f=1 2", "t,a=x f=1 2"];
    assertAsAlone([...lines, ...lines, ...lines]);
  });

  test("are not looked for any more where no order is found, and are right all the same", () => {
    const lines = Array.from(
      { length: 2_000 },
      (_, index) => `t,a=v${(index * index) % 1_009} f=1 ${index}`,
    );
    assertAsAlone(lines);
  });
});
