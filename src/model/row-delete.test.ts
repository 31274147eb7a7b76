import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ColumnId, NodeNumber, RowDeleteId, TableId } from "./ids.ts";
import {
  compileTagCondition,
  coversStamp,
  mayCoverFile,
  type RowDelete,
  type TagCondition,
  tagsOfCondition,
} from "./row-delete.ts";
import { nextStamp } from "./stamp.ts";

const [A, B, C] = [1, 2, 3].map((node) => node as NodeNumber) as [
  NodeNumber,
  NodeNumber,
  NodeNumber,
];
const COMPACTED = 0 as NodeNumber;

/** The stamps of a node, in order. */
function stamp(node: NodeNumber, tick: number): bigint {
  return nextStamp(node, 0n, BigInt(tick) << 22n);
}

const DELETE: RowDelete = {
  id: 5 as RowDeleteId,
  tableId: 1 as TableId,
  time: { start: 10n, end: 20n },
  cuts: [
    { node: A, stamp: stamp(A, 3) },
    { node: B, stamp: stamp(B, 7) },
  ],
  atNs: 0n,
};

function tag(columnId: number, values: readonly string[], negated = false): TagCondition {
  return { kind: "in", columnId: columnId as ColumnId, values, negated };
}

suite("a delete of rows", () => {
  test("covers stamps up to the cut of their node, and none of other nodes", () => {
    const cases: readonly (readonly [bigint, boolean])[] = [
      [stamp(A, 3), true],
      [stamp(A, 4), false],
      [stamp(B, 4), true],
      [stamp(B, 8), false],
      [stamp(C, 0), false],
    ];
    for (const [one, covered] of cases) assert.equal(coversStamp(DELETE, one), covered);
  });

  test("may cover rows of files by their time, their stamps, and what they are known to be without", () => {
    const whole = { node: A, time: { start: 20n, end: 30n }, stampMin: stamp(A, 3) };
    const cases: readonly (readonly [
      string,
      Parameters<typeof mayCoverFile>[1],
      bigint,
      boolean,
    ])[] = [
      ["one that has a row at the end and at the cut", whole, 0n, true],
      ["another time", { ...whole, time: { start: 21n, end: 30n } }, 0n, false],
      ["later rows of its node", { ...whole, stampMin: stamp(A, 4) }, 0n, false],
      ["another node", { ...whole, node: C, stampMin: stamp(C, 1) }, 0n, false],
      ["rows that do not count", whole, stamp(A, 3), false],
      ["any nodes", { ...whole, node: COMPACTED, stampMin: stamp(A, 4) }, 0n, true],
      ["all later", { ...whole, node: COMPACTED, stampMin: stamp(B, 8) }, 0n, false],
      ["written without it", { ...whole, deletesBelow: 6 as RowDeleteId }, 0n, false],
      ["written before it", { ...whole, deletesBelow: 5 as RowDeleteId }, 0n, true],
    ];
    for (const [name, file, stampAbove, expected] of cases)
      assert.equal(mayCoverFile(DELETE, file, stampAbove), expected, name);
  });

  test("asks of tags what its condition says", () => {
    const condition: TagCondition = {
      kind: "or",
      conditions: [
        { kind: "and", conditions: [tag(1, ["x", "y"]), tag(2, [""], true)] },
        tag(2, ["z"]),
      ],
    };
    assert.deepEqual(tagsOfCondition(condition), [1, 2, 2]);
    const accepts = compileTagCondition<readonly string[]>(condition, (columnId, isText) => {
      return (row) => isText(row[columnId - 1] ?? "");
    });
    const cases: readonly (readonly [readonly string[], boolean])[] = [
      [["x", "a"], true],
      [["x"], false],
      [["", "z"], true],
      [["w", "a"], false],
    ];
    for (const [row, expected] of cases) assert.equal(accepts(row), expected, row.join());
  });
});
