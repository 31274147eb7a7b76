import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { FewRows } from "./few-rows.ts";

const sql = (host: string, from: number, files: readonly string[]) =>
  `SELECT c0, c1 FROM read_parquet([${files.map((file) => `'${file}'`).join(", ")}]) WHERE c0 = '${host}' AND c1 > ${from}`;

suite("what is known of a statement's size", () => {
  test("one with other values and other files is expected to give as many", () => {
    const fewRows = new FewRows();
    assert.equal(fewRows.expects(sql("a", 1, ["x"])), false);
    fewRows.learn(sql("a", 1, ["x"]), true);
    assert.equal(fewRows.expects(sql("it''s,  b", 2_000, ["x", "y", "z"])), true);
    assert.equal(fewRows.expects(sql("a", 1, ["x"]).replace(">", "<")), false);
  });

  test("one that gave many once is not expected to give few again", () => {
    const fewRows = new FewRows();
    fewRows.learn(sql("a", 1, ["x"]), true);
    fewRows.learn(sql("a", 2, ["x"]), false);
    fewRows.learn(sql("a", 3, ["x"]), true);
    assert.equal(fewRows.expects(sql("a", 4, ["x"])), false);
  });

  test("what is not asked any more is forgotten", () => {
    const fewRows = new FewRows();
    for (let count = 0; count <= 1_000; count += 1) fewRows.learn(withColumns(count), true);
    assert.equal(fewRows.expects(withColumns(0)), false);
    assert.equal(fewRows.expects(withColumns(1_000)), true);
  });
});

function withColumns(count: number): string {
  return `SELECT a${" + a".repeat(count)} FROM t`;
}
