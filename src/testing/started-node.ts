/** Whole nodes on any store, with the plain engine and a clock that the test moves. */
import { DbError } from "#base/errors.ts";
import { toJson } from "#base/schema.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import { type CellValue, cellAt } from "#model/query/result.ts";
import { COMPACTION_DEFAULTS, type NodeConfig } from "#node/config.ts";
import type { Node, NodeOptions } from "#node/node.ts";
import type { NodePorts } from "#node/ports.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { seededRandom } from "#ports/random.ts";
import type { Transport } from "#ports/transport.ts";
import { plainStage } from "#staging/plain-stage.ts";
import { HandClock } from "./hand-clock.ts";
import { cellsOf } from "./small-node.ts";

const FOREVER = new AbortController().signal;

export const NODE_CONFIG: NodeConfig = {
  nodeId: "host01",
  clusterId: "cluster01",
  modes: ["ingest", "query"],
  store: { kind: "memory" },
  httpBind: "127.0.0.1:0",
  withoutAuth: true,
  openActions: [],
  givenToken: undefined,
  recoveryBind: undefined,
  recoveryListenerFilePath: undefined,
  flushIntervalMs: 0,
  flushesPerSnapshot: undefined,
  snapshotSizeBytes: 2 ** 26,
  snapshotAgeMs: 600_000,
  bufferSizeMax: 2 ** 30,
  peerRowsSizeMax: 2 ** 30,
  gen1DurationMs: 600_000,
  replicationIntervalMs: 250,
  catalogSyncIntervalMs: 10_000,
  httpRequestSizeMax: 2 ** 20,
  engineMemorySizeMax: 2 ** 30,
  fileCacheSizeMax: 2 ** 30,
  concurrentQueriesMax: 4,
  queryTimeoutMs: 60_000,
  databaseCountMax: 5,
  tableCountMax: 20,
  columnCountMax: 20,
  tagCountMax: 10,
  compaction: COMPACTION_DEFAULTS,
  listenerFilePath: undefined,
  logLevel: "error",
  logDestination: "stdout",
};

/** A network in which nobody answers. */
export const silentTransport: Transport = {
  send: async (address) => {
    throw new DbError("unavailable", "peer_unreachable", `${address} does not answer`);
  },
};

/** What `Node.start` takes, for a node on `store`; `seed` differs between processes. */
export function nodeOptions(
  store: ObjectStore,
  seed: number,
  some: { readonly config?: Partial<NodeConfig>; readonly ports?: Partial<NodePorts> } = {},
): NodeOptions & { readonly clock: HandClock } {
  const clock = new HandClock();
  let uuidCount = 0;
  const ports: NodePorts = {
    store,
    clock,
    random: seededRandom(seed),
    log: silentLog,
    transport: silentTransport,
    stage: plainStage,
    openEngine: async () => plainEngine({ files: { load: ({ key }) => load(store, key) } }),
    makeUuid: () => `uuid-${seed}-${++uuidCount}`,
    coreCount: 2,
    version: "test",
    ...some.ports,
  };
  const config = { ...NODE_CONFIG, ...some.config };
  return { config, ports, clock, address: config.nodeId, processId: `process-${seed}` };
}

/** Writes lines with nanoseconds into `db`. */
export function writeLines(node: Node, text: string, database = "db") {
  const body = new TextEncoder().encode(text);
  const rest = { precision: "nanosecond", acceptPartial: false, sync: true, tokens: [] } as const;
  return node.write({ database, body, ...rest }, FOREVER);
}

/** The rows that `text` answers, as lists of cells. */
export async function readRows(
  node: Node,
  text: string,
  { database = "db", tokens = [] }: { database?: string; tokens?: readonly string[] } = {},
): Promise<readonly (readonly CellValue[])[]> {
  const answer = await node.answers.query({ database, text, parameters: {}, tokens }, FOREVER);
  const rows: (readonly CellValue[])[] = [];
  for await (const batch of answer.batches) rows.push(...cellsOf(batch));
  return rows;
}

/** All that statements of InfluxQL answer, as text: rows and errors. */
export async function askInfluxQl(node: Node, text: string, database = "db"): Promise<string> {
  const request = {
    text,
    database,
    retentionPolicy: undefined,
    parameters: new Map(),
    tokens: [],
    native: false,
    readOnly: false,
  };
  const found: unknown[] = [];
  for await (const result of await node.answers.influxQl(request, FOREVER)) {
    if (result.kind === "error") {
      found.push(result.error.message);
      continue;
    }
    for await (const { cells, rowCount, ...chunk } of result.answer.series) {
      const rows = Array.from({ length: rowCount }, (_, row) =>
        cells.map((cell) => cellAt(cell, row)),
      );
      found.push({ ...chunk, rows });
    }
  }
  return toJson(found);
}

async function load(store: ObjectStore, key: string): Promise<Uint8Array> {
  const bytes = await store.get(key);
  if (bytes !== undefined) return bytes;
  throw new DbError("not_found", "object_missing", `no object ${key}`);
}
