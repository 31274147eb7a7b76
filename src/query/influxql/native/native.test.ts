import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import type { Field } from "#model/query/plan.ts";
import { cellAt } from "#model/query/result.ts";
import { answerOf, chunkOf, floats, texts, times } from "#testing/influxql-answers.ts";
import type { StatementResult } from "../answer.ts";
import type { InfluxQlRequest } from "../request.ts";
import { runNative } from "./native.ts";

const NEVER = new AbortController().signal;
const REQUEST = { database: "", text: "x", parameters: {}, tokens: [] };

async function run(results: readonly StatementResult[], request = REQUEST) {
  let asked: InfluxQlRequest | undefined;
  let told: readonly Field[] | undefined;
  let isReleased = false;
  async function* statements() {
    try {
      yield* results;
    } finally {
      isReleased = true;
    }
  }
  const answer = await runNative(
    async (its) => {
      asked = its;
      return statements();
    },
    { ...request, onFields: (fields) => (told = fields) },
    NEVER,
  );
  assert.equal(told, answer.fields);
  return { answer, asked, isReleased: () => isReleased };
}

async function rowsOf(results: readonly StatementResult[]) {
  const { answer, isReleased } = await run(results);
  const rows: unknown[][] = [];
  for await (const { columns, rowCount } of answer.batches)
    for (let row = 0; row < rowCount; row++)
      rows.push(columns.map((column) => cellAt(column, row)));
  assert.ok(isReleased());
  return { names: answer.fields.map(({ name }) => name), fields: answer.fields, rows };
}

function rowOf(value: number) {
  return { time: times(1n), f: floats(value) };
}

suite("InfluxQL as InfluxDB 3 answers it", () => {
  test("series are rows of one table; a tag that a series has not is missing", async () => {
    const { fields, rows } = await rowsOf([
      answerOf(0, [
        chunkOf("m", rowOf(1), {
          tags: [
            ["b", "x"],
            ["a", ""],
          ],
        }),
        chunkOf("n", rowOf(2), {
          tags: [
            ["b", ""],
            ["a", "y"],
          ],
        }),
      ]),
    ]);
    assert.deepEqual(fields, [
      { name: "iox::measurement", type: "string" },
      { name: "time", type: "timestamp", column: "time" },
      { name: "b", type: "string", column: "tag" },
      { name: "a", type: "string", column: "tag" },
      { name: "f", type: "float64", column: "float" },
    ]);
    assert.deepEqual(rows, [
      ["m", 1n, "x", null, 1],
      ["n", 1n, null, "y", 2],
    ]);
  });

  test("a column has the type of its first values, though they come late", async () => {
    const integers = { type: "int64", values: BigInt64Array.of(7n) } as const;
    const { fields, rows } = await rowsOf([
      answerOf(0, [
        chunkOf("a", { time: times(1n), f: { type: "null" }, g: { type: "null" } }),
        chunkOf("b", { time: times(2n), f: floats(0.5), g: { type: "null" } }),
        chunkOf("c", { time: times(3n), f: integers, g: { type: "null" } }),
      ]),
    ]);
    assert.deepEqual(
      fields.map(({ type }) => type),
      ["string", "timestamp", "float64", "string"],
    );
    assert.deepEqual(rows, [
      ["a", 1n, null, null],
      ["b", 2n, 0.5, null],
      ["c", 3n, 7, null],
    ]);
  });

  test("lists have no time; what answers nothing has no columns", async () => {
    const { names, rows } = await rowsOf([
      answerOf(0, [chunkOf("m", { tagKey: texts("a", "b") })]),
    ]);
    assert.deepEqual(names, ["iox::measurement", "tagKey"]);
    assert.deepEqual(rows, [
      ["m", "a"],
      ["m", "b"],
    ]);
    assert.deepEqual(await rowsOf([answerOf(0, [])]), { fields: [], names: [], rows: [] });
  });

  test("a tag of GROUP BY that is selected stands where it was selected", async () => {
    const chunk = chunkOf(
      "m",
      { ...rowOf(1), b: texts("x") },
      {
        tags: [
          ["b", "x"],
          ["c", "y"],
        ],
      },
    );
    const { names, rows } = await rowsOf([answerOf(0, [chunk])]);
    assert.deepEqual(names, ["iox::measurement", "time", "c", "f", "b"]);
    assert.deepEqual(rows, [["m", 1n, "y", 1, "x"]]);
  });

  test("in a zone, times are of it", async () => {
    const rows = chunkOf("m", { time: times(1n) });
    const { fields } = await rowsOf([answerOf(0, [rows], { zone: "Europe/Berlin" })]);
    assert.deepEqual(fields[1]?.type, {
      kind: "timestamp",
      unit: "nanosecond",
      zone: "Europe/Berlin",
    });
  });

  test("an empty database is none", async () => {
    assert.equal((await run([answerOf(0, [])])).asked?.database, undefined);
    const named = await run([answerOf(0, [])], { ...REQUEST, database: "d" });
    assert.partialDeepStrictEqual(named.asked, { database: "d", native: true });
  });

  test("a failure is the request's, and lets go of it; so does who takes no rows", async () => {
    const error = new DbError("invalid", "x", "no");
    await assert.rejects(run([{ kind: "error", id: 0, error }]), error);
    const { answer, isReleased } = await run([answerOf(0, [chunkOf("m", { f: floats(1) })])]);
    assert.equal(isReleased(), false);
    await answer.batches[Symbol.asyncIterator]().return?.();
    assert.ok(isReleased());
  });
});
