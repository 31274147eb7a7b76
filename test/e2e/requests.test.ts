/** Requests to the store cost money: nodes that hear each other make few. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const WINDOW_MS = 4_000;
/** Two an hour for each second would be 7,200; a look at the catalog falls into the window now and then. */
const QUIET_MAX = 5;
/** Who looks after a silent node's log does so four times a second. */
const LOOKING_MIN = 12;

async function metric(node: TestNode, pattern: RegExp): Promise<number> {
  const { text } = await node.get("/metrics");
  return [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** What each node asks of the store within the window. */
async function requests(nodes: readonly TestNode[]): Promise<readonly number[]> {
  const counts = () =>
    Promise.all(
      nodes.map((node) => metric(node, /^object_store_op_duration_seconds_count\{.*\} (\d+)$/gm)),
    );
  const before = await counts();
  await sleep(WINDOW_MS);
  return (await counts()).map((count, index) => count - (before[index] ?? 0));
}

/** Resolves when each of `nodes` does not hear so many others. */
async function doNotHear(nodes: readonly TestNode[], count: number): Promise<void> {
  await eventually(
    async () => {
      const counts = await Promise.all(
        nodes.map((node) => metric(node, /^tidelake_silent_peers (\d+)$/gm)),
      );
      return counts.every((found) => found === count) || undefined;
    },
    { what: `nodes that do not hear ${count} others` },
  );
}

test("nodes that hear each other leave the store alone; when one is silent they look there", async () => {
  await using sandbox = await Sandbox.open();
  const nodes = await Promise.all(
    ["all", "all", "query"].map((mode, index) =>
      sandbox.start({ nodeId: `host0${index + 1}`, mode }),
    ),
  );
  const [one, two, reader] = nodes as [TestNode, TestNode, TestNode];
  await one.write("d", "m v=1i 1");
  await doNotHear(nodes, 0);
  await sleep(1_000);
  const quiet = await requests(nodes);
  for (const count of quiet) assert.ok(count <= QUIET_MAX, `${quiet.join()} requests`);

  await two.write("d", "m v=2i 2");
  await eventually(
    async () => (await reader.rows("d", "SELECT v FROM m")).length === 2 || undefined,
    { what: "what another wrote", withinMs: 5_000 },
  );

  await two.kill();
  await doNotHear([one, reader], 1);
  const looking = await requests([one, reader]);
  for (const count of looking) assert.ok(count >= LOOKING_MIN, `${looking.join()} requests`);
});
