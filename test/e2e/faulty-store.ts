/** Clusters on a store that fails, by a proxy that spoils answers: what every cloud's nodes must survive. */
import assert from "node:assert/strict";
import type { FaultProxy } from "#testing/stores/fault-proxy.ts";
import { eventually, type TestNode } from "./cluster.ts";

/** A start gives up after some probes whose answers were lost, so fewer are while nodes start. */
export const RARELY = 40;
const OFTEN = 6;
const WRITE_COUNT = 60;
/** Faults come by chance: there are more writes until each of them has come. */
const WRITE_COUNT_MAX = 600;
const ROWS_PER_WRITE = 20;

type Fault = keyof FaultProxy["counts"];

/**
 * Writes through two nodes in turns until each of `faults` has come, and kills one meanwhile; then these and a third show each row once.
 * `start` starts a node on the store behind `proxy`.
 */
export async function surviveFaults(
  proxy: FaultProxy,
  faults: readonly Fault[],
  start: (nodeId: string) => Promise<TestNode>,
): Promise<void> {
  const startRarelyFailing = async (nodeId: string) => {
    proxy.faultOneOf = RARELY;
    const node = await start(nodeId);
    proxy.faultOneOf = OFTEN;
    return node;
  };
  let one = await startRarelyFailing("host01");
  const two = await startRarelyFailing("host02");
  const missing = () => faults.filter((fault) => proxy.counts[fault] === 0);
  let write = 0;
  for (; write < WRITE_COUNT || (missing().length > 0 && write < WRITE_COUNT_MAX); write += 1) {
    if (write === WRITE_COUNT / 2) {
      await one.kill();
      one = await startRarelyFailing("host01");
    }
    await writeUntilTaken(write % 2 === 0 ? one : two, write);
  }
  assert.deepEqual(missing(), [], "faults that never happened");
  const third = await startRarelyFailing("host03");
  proxy.faultOneOf = Number.POSITIVE_INFINITY;
  const rows = write * ROWS_PER_WRITE;
  const expected = { rows, total: (rows * (rows - 1)) / 2 };
  for (const node of [one, two, third]) {
    await eventually(
      async () => ((await totals(node))?.["rows"] === expected.rows ? true : undefined),
      { what: "all rows" },
    );
    assert.deepEqual(await totals(node), expected);
  }
}

/** Sends write number `write` until the node takes it; each row has its time, so rows that come twice are the same. */
async function writeUntilTaken(node: TestNode, write: number): Promise<void> {
  const lines = Array.from({ length: ROWS_PER_WRITE }, (_, row) => {
    const value = write * ROWS_PER_WRITE + row;
    return `m,t=a${row % 5} v=${value}i ${1_000_000 + value}`;
  });
  await eventually(
    async () => {
      const path = "/api/v3/write_lp?db=d&precision=nanosecond";
      const { status, text } = await node.post(path, lines.join("\n"));
      assert.ok(status === 204 || status === 503, `${status} ${text}`);
      return status === 204 ? true : undefined;
    },
    { what: `write ${write}`, withinMs: 60_000 },
  );
}

async function totals(node: TestNode) {
  return (await node.rows("d", "SELECT count(v) AS rows, sum(v) AS total FROM m"))[0];
}
