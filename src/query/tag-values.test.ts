import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { SmallNode } from "#testing/small-node.ts";
import { findTagValues } from "./tag-values.ts";

const FOREVER = new AbortController().signal;

async function valuesOf(
  pattern: string,
  { tag = "host", countMax = 10, lengthMax = 100 } = {},
): Promise<readonly string[]> {
  await using node = await SmallNode.open();
  await node.write("m,host=a1,zone=z f=1 1\nm,host=b1 f=1 2");
  await node.snapshotter.take(FOREVER);
  await node.write("m,host=a2 f=1 3\nm f=1 4");
  const { catalog, engine, views } = node;
  const [table] = [...catalog.state.databases.values()].flatMap(({ tables }) => [
    ...tables.values(),
  ]);
  assert.ok(table);
  const columnId = table.columns.find(({ name }) => name === tag)?.id;
  const question = { table, columnId, pattern, countMax, lengthMax };
  return (await findTagValues({ engine, views }, question, [], FOREVER)).toSorted();
}

suite("the values of a tag that a pattern matches", () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ["^a", "host", ["a1", "a2"]],
    ["1", "host", ["a1", "b1"]],
    ["^$", "host", [""]],
    [".*", "zone", ["", "z"]],
    [".*", "none", [""]],
    ["x", "none", []],
  ];
  for (const [pattern, tag, expected] of cases)
    test(`${pattern} of ${tag}, in files and in the buffer`, async () => {
      assert.deepEqual(await valuesOf(pattern, { tag }), expected);
    });

  test("are no more than are wanted", async () => {
    assert.equal((await valuesOf("", { countMax: 3 })).length, 3);
  });

  test("end where they have more characters than are wanted", async () => {
    assert.equal((await valuesOf("1|2", { lengthMax: 3 })).length, 2);
  });
});
