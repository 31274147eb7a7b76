/** Nodes that were off, or stood still, while another wrote very much: what they read, and hold, until they are up to date. */
import { Node } from "#node/node.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";
import { nodeOptions, readRows } from "#testing/started-node.ts";
import { print } from "./output.ts";

/** Between two snapshots, each with a checkpoint. */
const SECTION_COUNT = 1_000;
const READS_MAX = 2 * SECTION_COUNT;
const READY_MS_MAX = 10_000;
const COUNT_ROWS = "SELECT count(f) AS n FROM m";
const FOREVER = new AbortController().signal;

/** Writes `entryCount` entries, twice; answers what took more than it may. */
export async function runBacklog(options: { entryCount: number }): Promise<readonly string[]> {
  return [...(await startAfter(options)), ...(await wakeAfter(options))];
}

/** A query node starts when the entries are in files, adopted and deleted. */
async function startAfter({ entryCount }: { entryCount: number }): Promise<readonly string[]> {
  const inner = memoryStore();
  await using writer = await SmallNode.open({ store: inner });
  await writeMany(writer, entryCount, () => adopt(writer));
  const { reads, store } = countingStore(inner);
  const startedMs = performance.now();
  const config = { nodeId: "host02", modes: ["query"] } as const;
  const options = nodeOptions(store, 2, { config });
  const node = await Node.start(options);
  await node.ready();
  const readyMs = performance.now() - startedMs;
  const { rowCount } = node.buffer;
  const [[n] = []] = await readRows(node, COUNT_ROWS);
  const stopping = node.stop(1_000);
  await Promise.race([stopping, options.clock.advance(20_000)]);
  await stopping;
  print(
    `started after ${entryCount} entries: ready in ${Math.round(readyMs)} ms, ${reads.entries} entries read, ${rowCount} rows held`,
  );
  return [
    ...(readyMs > READY_MS_MAX ? [`ready only after ${readyMs} ms`] : []),
    ...excess({ read: reads.entries, held: rowCount }),
    ...(n === BigInt(entryCount) ? [] : [`not all of ${entryCount} rows are shown`]),
  ];
}

/** A follower stands still meanwhile; nobody adopts anything, so that all entries are there to be read. */
async function wakeAfter({ entryCount }: { entryCount: number }): Promise<readonly string[]> {
  const inner = memoryStore();
  await using writer = await SmallNode.open({ store: inner });
  const { reads, store } = countingStore(inner);
  await using reader = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
  await reader.catalog.refresh();
  const follower = reader.follow(writer);
  await follower.load();
  let held = 0;
  reads.onEntry = () => {
    held = Math.max(held, follower.buffer.rowCount);
  };
  await writeMany(writer, entryCount, async () => undefined);
  reads.entries = 0;
  const startedMs = performance.now();
  while (follower.state.position < writer.writer.state.position) await follower.poll();
  const ms = performance.now() - startedMs;
  const [{ n } = { n: 0n }] = await reader.rows(COUNT_ROWS);
  print(
    `woke after ${entryCount} entries: up to date in ${Math.round(ms)} ms, ${reads.entries} entries read, ${held} rows held`,
  );
  return [
    ...excess({ read: reads.entries, held }),
    ...(n === BigInt(entryCount) ? [] : [`not all of ${entryCount} rows are shown`]),
  ];
}

function excess({ held, read }: { held: number; read: number }): readonly string[] {
  return [
    ...(read > READS_MAX ? [`${read} entries were read, ${READS_MAX} may be`] : []),
    ...(held > SECTION_COUNT ? [`${held} rows were held, ${SECTION_COUNT} may be`] : []),
  ];
}

/** Entries of a row each; after each section its rows are in a file, `keep` is called, and a checkpoint is written. */
async function writeMany(
  writer: SmallNode,
  entryCount: number,
  keep: () => Promise<void>,
): Promise<void> {
  for (let time = 1; time <= entryCount; time++) {
    await writer.write(`m f=1 ${time}`);
    if (time % SECTION_COUNT !== 0) continue;
    await writer.snapshotter.take(FOREVER);
    await keep();
    await writer.writer.checkpoint(writer.adopted());
  }
}

/** As the compactor in office does. */
async function adopt({ catalog, manifest, node, writer }: SmallNode): Promise<void> {
  const office =
    manifest.state.office.epoch > 0 ? manifest.state.office : await manifest.takeOver();
  const { snapshots } = writer.state;
  const last = snapshots.at(-1);
  if (last === undefined) return;
  const body = { node, ...last, files: snapshots.flatMap(({ files }) => files) };
  const needs = { catalog: catalog.state.position, manifest: 0 };
  await manifest.publish(office, () => ({ kind: "adopt", body, needs }));
  await manifest.keep();
}

/** `inner`, and a count of the entries that are read in it. */
function countingStore(inner: ObjectStore) {
  const reads = { entries: 0, onEntry: () => {} };
  const get = (key: string) => {
    if (key.includes("/log/entry/")) {
      reads.entries += 1;
      reads.onEntry();
    }
    return inner.get(key);
  };
  return { store: storeWith(inner, { get }), reads };
}
