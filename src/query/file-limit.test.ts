import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { SmallNode } from "#testing/small-node.ts";

const FOREVER = new AbortController().signal;

suite("files of a query", () => {
  test("more than it may read are refused, and named; what WHERE leaves out is not counted", async () => {
    await using node = await SmallNode.open({ queries: { filesMax: 1 } });
    for (const time of [1, 600_000_000_001]) {
      await node.write(`m f=1 ${time}`);
      await node.snapshotter.take(FOREVER);
    }
    await assert.rejects(node.rows("SELECT f FROM m"), {
      kind: "exceeded",
      code: "query_file_limit",
      message: /would read 2 data files, at most 1 may be.*--query-file-limit/,
    });
    assert.deepEqual(await node.rows("SELECT f FROM m WHERE time < '1970-01-01T00:05:00Z'"), [
      { f: 1 },
    ]);
    await node.write("m f=2 700000000000");
    const buffered = "SELECT f FROM m WHERE time > '1970-01-01T00:11:00Z'";
    assert.deepEqual(await node.rows(buffered), [{ f: 2 }], "rows in no file are no file");
  });
});
