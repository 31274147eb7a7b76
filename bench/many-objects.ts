/**
 * A cluster with a million data files: how long until a node serves, what it takes, the first queries, and what a checkpoint of the
 * manifest costs.
 *
 *     node bench/many-objects.ts [--files 1000000] [--tables 100] [--store file|memory]
 *
 * On the file store a query node and a node of all modes are processes of their own, started one after the other. On the memory store, which
 * lives and ends with its process, a node starts in this one.
 */
import { parseArgs } from "node:util";
import { dataFiles } from "#engine/duckdb/files/data-files.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import { Manifest } from "#manifest/manifest.ts";
import { Node } from "#node/node.ts";
import { FileStore } from "#objectstore/file.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { seededRandom } from "#ports/random.ts";
import { machineClock } from "#testing/http.ts";
import { nodeOptions, readRows, writeLines } from "#testing/started-node.ts";
import { round } from "../scripts/long/figures.ts";
import type { Server } from "../scripts/long/server.ts";
import { FILE_NS, fastPut, type ManyOptions, makeManyFiles, NODE } from "./many-objects/maker.ts";
import { benchFolder } from "./node.ts";
import { processesOf } from "./processes.ts";
import { type Figures, report } from "./report.ts";

const READY_MS_MAX = 10_000;
const CLUSTER = "cluster01";
const FOREVER = new AbortController().signal;
const DATABASE = "bench";
const MIB = 2 ** 20;
/** The nodes that take writes are stopped. */
const NO_WAIT = ["--wait-for-running-ingester", "0s"];
const HOUR_FILES = 6;
/** On a whole hour. */
const END_NS = 1_763_722_800_000_000_000n;
const LAST_HOUR = `SELECT time FROM t0 WHERE time >= ${END_NS - 6n * FILE_NS}::TIMESTAMP AND time < ${END_NS}::TIMESTAMP`;

const { values } = parseArgs({
  options: {
    files: { type: "string", default: "1000000" },
    tables: { type: "string", default: "100" },
    store: { type: "string", default: "file" },
  },
});
const fileCount = Number(values.files);
const tableCount = Number(values.tables);
const keptMs: number[] = [];
const result = values.store === "memory" ? await onMemory() : await onFiles();
report(
  "many-objects",
  { store: values.store, files: fileCount, tables: tableCount, ...result.figures },
  {
    [`ready within ${READY_MS_MAX} ms`]: result.readyMs <= READY_MS_MAX,
    "the last hour is exact": result.exact,
  },
);

interface Result {
  readonly figures: Figures;
  readonly readyMs: number;
  readonly exact: boolean;
}

async function onFiles(): Promise<Result> {
  await using folder = await benchFolder();
  const writing = await folder.node("host01", "ingest,query");
  writing.start();
  await writing.ready();
  await writing.write(DATABASE, firstLines());
  await writing.stop();
  const root = `${folder.path}/store`;
  await using store = await FileStore.open(root, { random: seededRandom(1), log: silentLog });
  const made = await timed(() =>
    make(store, { put: fastPut(root), write: async (request) => dataFiles(request)[0] }),
  );
  const checkpoint = await oneCheckpoint(store);
  const query = await tryServer(await folder.node("host02", "query", NO_WAIT));
  const all = await tryServer(await folder.node("host01", "all"));
  return {
    figures: {
      makeSeconds: round(made.ms / 1_000, 1),
      ...checkpoint,
      ...prefixed("query", query),
      ...prefixed("all", all),
    },
    readyMs: Math.max(query.readyMs, all.readyMs),
    exact: query.exact && all.exact,
  };
}

/** Starts a node, asks it, and ends it. */
async function tryServer(server: Server) {
  server.start();
  const readyMs = await server.ready();
  const resident = () => Math.round((processesOf(server.pid)[0]?.residentBytes ?? 0) / MIB);
  const readyMiB = resident();
  const first = await timed(() => server.query(DATABASE, LAST_HOUR));
  const second = await timed(() => server.query(DATABASE, LAST_HOUR));
  const exact = first.value.length === HOUR_FILES && second.value.length === HOUR_FILES;
  const queriedMiB = resident();
  await server.kill();
  return {
    readyMs: round(readyMs),
    readyMiB,
    firstQueryMs: round(first.ms),
    secondQueryMs: round(second.ms),
    queriedMiB,
    exact,
  };
}

async function onMemory(): Promise<Result> {
  const store = memoryStore();
  const first = await Node.start(
    nodeOptions(store, 1, { config: { tableCountMax: tableCount + 1 } }),
  );
  await writeLines(first, firstLines(), DATABASE);
  const plain = plainEngine({ files: { load: () => Promise.reject(new Error("it reads none")) } });
  const made = await timed(() =>
    make(store, {
      put: (key, bytes) => store.put(key, bytes),
      write: async (request) => (await Array.fromAsync(plain.writeFiles(request, FOREVER)))[0],
    }),
  );
  const checkpoint = await oneCheckpoint(store);
  const options = nodeOptions(store, 2, { config: { nodeId: "host02", modes: ["query"] } });
  const started = await timed(() => Node.start(options));
  const node = started.value;
  const ready = await timed(() => node.ready());
  const asked = await timed(() => readRows(node, LAST_HOUR, { database: DATABASE }));
  const readyMs = started.ms + ready.ms;
  return {
    figures: {
      makeSeconds: round(made.ms / 1_000, 1),
      ...checkpoint,
      readyMs: round(readyMs),
      firstQueryMs: round(asked.ms),
    },
    readyMs,
    exact: asked.value.length === HOUR_FILES,
  };
}

/** A line for each table, later than all files. */
function firstLines(): string {
  return Array.from({ length: tableCount }, (_, table) => `t${table} f=1 ${END_NS}`).join("\n");
}

async function make(store: ObjectStore, how: Pick<ManyOptions, "put" | "write">): Promise<void> {
  await makeManyFiles({
    clusterId: CLUSTER,
    database: DATABASE,
    ...how,
    fileCount,
    endNs: END_NS,
    ports: { store, clock: machineClock, random: seededRandom(2), log: silentLog },
    onKept: (ms) => keptMs.push(ms),
  });
}

/** What it takes to read the manifest, and to write the next checkpoint of a term that has just begun. */
async function oneCheckpoint(store: ObjectStore): Promise<Figures> {
  let sizeBytes = 0;
  let putCount = 0;
  const counting: ObjectStore = {
    get: (key) => store.get(key),
    put: (key, body) => store.put(key, body),
    list: (prefix, options) => store.list(prefix, options),
    delete: (key) => store.delete(key),
    putIfAbsent(key, body) {
      sizeBytes += body.length;
      putCount += 1;
      return store.putIfAbsent(key, body);
    },
  };
  const ports = { store: counting, clock: machineClock, random: seededRandom(3), log: silentLog };
  const manifest = new Manifest(CLUSTER, ports, {
    writer: () => ({ node: NODE, epoch: manifest.state.writers.get(NODE) ?? 1 }),
    signal: FOREVER,
    checkpointEntries: 1,
  });
  const read = await timed(() => manifest.refresh());
  const office = await manifest.takeOver();
  const { catalog } = manifest.state.needs;
  const body = { inputs: [], outputs: [] };
  const needs = { catalog, manifest: 0 };
  await manifest.publish(office, () => ({ kind: "replace", body, needs }));
  const kept = await timed(() => manifest.keep());
  return {
    slowestCheckpointMs: round(Math.max(...keptMs)),
    manifestReadMs: round(read.ms),
    checkpointMs: round(kept.ms),
    checkpointPuts: putCount,
    checkpointBytes: sizeBytes,
  };
}

function prefixed(name: string, figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([key, value]) => [`${name}.${key}`, value]),
  );
}

async function timed<Value>(work: () => Promise<Value>): Promise<{ ms: number; value: Value }> {
  const startedMs = performance.now();
  const value = await work();
  return { ms: performance.now() - startedMs, value };
}
