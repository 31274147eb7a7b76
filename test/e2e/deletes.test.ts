/** Rows are deleted on one node and gone on all: from files, from buffers, after a restart. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Sandbox, type TestNode } from "./cluster.ts";

const ALL = "SELECT host, v FROM m ORDER BY time";
const COUNTS = "SELECT host, count(*) AS n, max(v) AS v FROM m GROUP BY host ORDER BY host";

/** Deletes rows of `m`, answers the token of that. */
async function deleteRows(node: TestNode, predicate: string, seconds: readonly [number, number]) {
  const [start, stop] = seconds.map((second) => new Date(second * 1_000).toISOString());
  const body = JSON.stringify({ start, stop, predicate: `_measurement="m" AND ${predicate}` });
  const { status, text, token } = await node.post("/api/v2/delete?bucket=d", body);
  assert.equal(status, 204, text);
  return token;
}

function lines(seconds: readonly number[], value: number): string {
  const hosts = ["a", "b"].flatMap((host) =>
    seconds.map((second) => `m,host=${host} v=${value}i ${second}000000000`),
  );
  return hosts.join("\n");
}

suite("deletes of rows", () => {
  test("cover what any node has acknowledged, in files and not, and nothing that comes later", async () => {
    await using sandbox = await Sandbox.open();
    const more = ["--snapshot-age", "1s"];
    const first = await sandbox.start({ nodeId: "host01", mode: "ingest,query", more });
    const second = await sandbox.start({ nodeId: "host02", mode: "ingest,query,compact" });
    await first.write("d", lines([1, 2, 3], 1));
    // In files of a snapshot.
    await first.stop();
    const again = await sandbox.start({ nodeId: "host01", mode: "ingest,query", more });
    await again.write("d", lines([4, 5], 1));
    const seen = await second.write("d", lines([5, 6], 2));
    const deleted = await deleteRows(second, 'host="a"', [2, 5]);
    const token = `${seen},${deleted}`;
    const left = [
      ["a", 1],
      ["b", 1],
      ["b", 1],
      ["b", 1],
      ["b", 1],
      ["b", 2],
      ["a", 2],
      ["b", 2],
    ];
    for (const node of [again, second]) {
      const rows = await node.rows("d", `${ALL}, host`, { token });
      assert.deepEqual(
        rows.map(({ host, v }) => [host, v]),
        left,
      );
    }
    const written = await again.write("d", lines([3], 9));
    await again.kill();
    const last = await sandbox.start({ nodeId: "host01", mode: "ingest,query", more });
    for (const node of [last, second])
      assert.deepEqual(await node.rows("d", COUNTS, { token: written }), [
        { host: "a", n: 3, v: 9 },
        { host: "b", n: 6, v: 9 },
      ]);
  });

  test("by a pattern are of the rows that a SELECT with it shows", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start();
    const hosts = ["a_1", "é", "a b", "ab"];
    // Classes are of ASCII in InfluxQL, and there are no intersections of them.
    for (const where of ["host =~ /^\\w+$/", "host !~ /\\W/", "host =~ /[a&&b]$/"]) {
      await node.write(
        "d",
        hosts.map((host, index) => `m,host=${host.replace(" ", "\\ ")} v=1 ${index}`).join("\n"),
      );
      const ask = async (text: string) => {
        const { text: answer } = await node.post(`/query?db=d&q=${encodeURIComponent(text)}`, "");
        assert.doesNotMatch(answer, /error/);
        return [...answer.matchAll(/"1970[^"]*","([^"]*)"/g)].map(([, host]) => host);
      };
      const shown = await ask(`SELECT host, v FROM m WHERE ${where}`);
      assert.equal(shown.length, 2);
      await ask(`DELETE FROM m WHERE ${where}`);
      const left = await ask("SELECT host, v FROM m");
      assert.deepEqual(new Set([...shown, ...left]), new Set(hosts));
      assert.equal(left.length, hosts.length - shown.length);
    }
  });
});
