/** Options of real nodes, where only a whole program shows that they take effect. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, Sandbox } from "./cluster.ts";

const LIMIT = "/api/v3/configure/query_concurrency_limit";

test("a query node waits for one that takes writes; limits, log and cache are as its options say", async () => {
  await using sandbox = await Sandbox.open();
  const reader = sandbox.launch({
    nodeId: "host02",
    mode: "query",
    more: [
      ..."--wait-for-running-ingester 60s --query-file-limit 1 --max-concurrent-queries 7".split(
        " ",
      ),
      ..."--log-format logfmt --num-cores 3 --disable-file-cache --parquet-mem-cache-size 9".split(
        " ",
      ),
      ..."--plugin-dir p --license-email a@b --query-log-max-entries 2".split(" "),
    ],
  });
  await eventually(async () => /waiting for a node/.exec(reader.out) ?? undefined, {
    what: "a node that waits",
    withinMs: 20_000,
  });
  await sleep(700);
  assert.doesNotMatch(reader.out, /serves http/);
  const more = ["--wal-files-per-snapshot", "1", "--conn-info", "127.0.0.1:1"];
  const writer = await sandbox.start({ mode: "ingest", more });
  await reader.serving();
  assert.match(reader.out, /^time=\S+ level=info msg="waiting for a node .*" node=host02 /m);

  const first = await writer.write("d", "m f=1 1");
  assert.deepEqual(await reader.rows("d", "SELECT f FROM m", { token: first }), [{ f: 1 }]);
  const fileCount = async (count: number) => {
    const keys = (await sandbox.objects()).filter((key) => key.endsWith(".parquet"));
    return keys.length === count ? true : undefined;
  };
  await eventually(() => fileCount(1), { what: "a file of the first row", withinMs: 20_000 });
  const late = await writer.write("d", "m f=2 86400000000000");
  await eventually(() => fileCount(2), { what: "a file of the second row", withinMs: 20_000 });
  const refused = await eventually(
    async () => {
      const answer = await reader.query("d", "SELECT f FROM m", { token: late });
      return answer.status === 422 ? answer.text : undefined;
    },
    { what: "a query of two files", withinMs: 20_000 },
  );
  assert.match(refused, /would read 2 data files, at most 1 may be/);
  assert.equal(
    (await reader.rows("d", "SELECT f FROM m WHERE time < '1970-01-01T00:01:00Z'")).length,
    1,
  );

  const [node] = await reader.rows(
    "_internal",
    "SELECT core_count FROM system.nodes WHERE node_id = 'host02'",
  );
  assert.deepEqual(node, { core_count: 3 });
  const logged = await reader.rows("_internal", "SELECT phase, query_text FROM system.queries");
  assert.equal(logged.length, 2);
  assert.match(String(logged[1]?.["query_text"]), /core_count/);

  assert.deepEqual(JSON.parse((await reader.get(LIMIT)).text), {
    query_concurrency_limit: 7,
    max_concurrent_queries: 7,
  });
  assert.equal((await reader.post(LIMIT, '{"query_concurrency_limit":2}')).status, 200);
  assert.equal((await reader.post(LIMIT, '{"query_concurrency_limit":8}')).status, 400);
  assert.equal(JSON.parse((await reader.get(LIMIT)).text).query_concurrency_limit, 2);

  const ended = await reader.stop();
  assert.equal(ended.exitCode, 0);
  assert.deepEqual(ended.error.trim().split("\n"), [
    "warning: --parquet-mem-cache-size is an old name; use --file-cache-size",
    "warning: no effect yet: --plugin-dir",
    "warning: without effect in this version: --license-email",
  ]);
});

test("a node that waits for others stops when it is asked to", async () => {
  await using sandbox = await Sandbox.open();
  const reader = sandbox.launch({ mode: "query", more: ["--wait-for-running-ingester", "60s"] });
  await eventually(async () => /waiting for a node/.exec(reader.out) ?? undefined, {
    what: "a node that waits",
    withinMs: 20_000,
  });
  const ended = await reader.stop();
  assert.equal(ended.exitCode, 0);
  assert.doesNotMatch(ended.out, /serves http/);
});
