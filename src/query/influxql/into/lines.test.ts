import assert from "node:assert/strict";
import { test } from "node:test";
import { linesOf } from "./lines.ts";

const TIME = { type: "timestamp", values: BigInt64Array.of(1n, 2n) } as const;
const NO_TAGS: ReadonlySet<string> = new Set();

function lines(
  chunk: object,
  tagNames = NO_TAGS,
  measurement = "my m,x",
): readonly (string | undefined)[] {
  const parts = { name: "m", tags: [], rowCount: 2, partial: false, columns: [], cells: [] };
  return [...linesOf({ ...parts, ...chunk }, measurement, tagNames)];
}

test("fields of all kinds, names and text are written as line protocol has them", () => {
  const columns = ["time", "a b", "i", "u", "t", "s"];
  const cells = [
    TIME,
    { type: "float64", values: Float64Array.of(0.5, 1e21) },
    { type: "int64", values: BigInt64Array.of(-3n, 2n ** 62n) },
    { type: "uint64", values: BigUint64Array.of(2n ** 63n, 0n) },
    { type: "boolean", values: Uint8Array.of(1, 0) },
    { type: "string", values: ['q"\\', null] },
  ];
  assert.deepEqual(
    lines({
      columns,
      cells,
      tags: [
        ["k", "v=1"],
        ["none", ""],
      ],
    }),
    [
      'my\\ m\\,x,k=v\\=1 a\\ b=0.5,i=-3i,u=9223372036854775808u,t=true,s="q\\"\\\\" 1',
      "my\\ m\\,x,k=v\\=1 a\\ b=1e+21,i=4611686018427387904i,u=0u,t=false 2",
    ],
  );
});

test("a row without a field, or with one that is infinite, is left out", () => {
  const floats = { type: "float64", values: Float64Array.of(Number.NaN, 0) };
  assert.deepEqual(lines({ columns: ["time", "f"], cells: [TIME, floats] }), [
    undefined,
    "my\\ m\\,x f=0 2",
  ]);
  const infinite = { type: "float64", values: Float64Array.of(1, Number.NEGATIVE_INFINITY) };
  assert.deepEqual(lines({ columns: ["time", "f", "g"], cells: [TIME, floats, infinite] }), [
    "my\\ m\\,x g=1 1",
    undefined,
  ]);
});

test("columns that are named as tags are tags", () => {
  const host = { type: "string", values: ["a", null] };
  const top = { type: "int64", values: BigInt64Array.of(7n, 9n) };
  const chunk = { columns: ["time", "top", "host"], cells: [TIME, top, host] };
  assert.deepEqual(lines(chunk, new Set(["host", "top"])), [
    "my\\ m\\,x,host=a top=7i 1",
    "my\\ m\\,x top=9i 2",
  ]);
});

test("names that line protocol cannot say are refused", () => {
  const value = { type: "int64", values: BigInt64Array.of(7n, 9n) };
  const chunk = (name: string) => ({ columns: ["time", name], cells: [TIME, value] });
  for (const name of ["t\\", "#t", "a\nb"])
    assert.throws(() => lines(chunk("f"), NO_TAGS, name), { code: "influxql_into" });
  assert.throws(() => lines(chunk("f\\")), { code: "influxql_into" });
  assert.equal(lines(chunk("#f"))[0], "my\\ m\\,x #f=7i 1");
});
