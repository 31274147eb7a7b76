import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import { messageOf } from "#base/errors.ts";
import { DuckDbEngine } from "#engine/duckdb/duckdb-engine.ts";
import { HttpServer } from "#http/server.ts";
import type { NodeIdentity } from "#http/services.ts";
import { FileStore } from "#objectstore/file.ts";
import { type CachedFile, FileCache } from "#objectstore/file-cache.ts";
import { measuredStore } from "#objectstore/measured.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { retryingStore } from "#objectstore/retrying.ts";
import type { Log } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { WorkerStage } from "#staging/worker/worker-stage.ts";
import type { NodeConfig, StoreConfig } from "./config.ts";
import { engineSizeMax } from "./memory.ts";
import { Metrics } from "./metrics.ts";
import { Node } from "./node.ts";
import type { NodePorts } from "./ports.ts";
import { HttpTransport } from "./real/http-transport.ts";
import { pinoLog, realClock, realRandom } from "./real/machine.ts";
import { openScratch } from "./real/scratch.ts";
import { nodeServices } from "./services.ts";
import { VERSION } from "./version.ts";
import { waitForOthers } from "./waiting.ts";

export interface NodeIo {
  out(line: string): void;
  error(line: string): void;
}

const STOP_WAIT_MS_MAX = 60_000;

/** Runs a node until SIGTERM or SIGINT; resolves with the exit code. Rejects with what keeps it from starting. */
export async function runNode(config: NodeConfig, io: NodeIo): Promise<number> {
  const log = pinoLog(config);
  const stopped = stopSignals();
  await using parts = new AsyncDisposableStack();
  const processId = randomUUID();
  let node: Node | undefined;
  const identity = (): NodeIdentity => ({
    nodeId: config.nodeId,
    clusterId: config.clusterId,
    processId,
    clusterUuid: node?.catalog.state.cluster?.uuid,
    version: VERSION,
  });
  const metrics = new Metrics();
  // Bound before anything is written to the store: an address that is taken leaves nothing behind.
  const server = parts.use(await listen(config, { log, metrics, identity: identity() }));
  const ports = await openPorts(config, { log, metrics, parts });
  const address = config.advertisedAddress ?? advertised(server.address);
  node = await Node.start({ config, ports, processId, address });
  const running = node;
  metrics.show(running);
  const ended = Promise.race([stopped, running.failure]);
  const others = { config, catalog: running.catalog, clock: realClock, log };
  if (await doneBefore(ended, (signal) => waitForOthers(others, signal))) {
    server.serve(nodeServices(running, metrics, identity, () => realClock.nowNs()));
    if (config.listenerFilePath !== undefined)
      await writeFile(config.listenerFilePath, server.address);
    io.out(
      `node ${config.nodeId} of cluster ${config.clusterId} serves http://${shown(server.address)} (modes ${config.modes.join(",")})`,
    );
  }
  const failure = await ended;
  await server[Symbol.asyncDispose]();
  await running.stop(STOP_WAIT_MS_MAX);
  if (failure === undefined) return 0;
  io.error(`Serve command failed: ${messageOf(failure)}`);
  return 1;
}

/** Does `work`, and gives it up when the node ends before; answers whether it did not. */
async function doneBefore(
  ended: Promise<unknown>,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const end = new AbortController();
  const done = work(end.signal);
  const inTime = await Promise.race([ended.then(() => false), done.then(() => true)]);
  end.abort();
  await done;
  return inTime;
}

/** Resolves with undefined when the process is asked to stop. A second signal ends it at once. */
function stopSignals(): Promise<undefined> {
  const stopped = Promise.withResolvers<undefined>();
  for (const name of ["SIGTERM", "SIGINT"] as const)
    process.once(name, () => {
      stopped.resolve(undefined);
      process.once(name, () => process.exit(1));
    });
  return stopped.promise;
}

interface Shared {
  readonly log: Log;
  readonly metrics: Metrics;
}

async function listen(
  config: NodeConfig,
  { log, metrics, identity }: Shared & { identity: NodeIdentity },
): Promise<HttpServer> {
  const separator = config.httpBind.lastIndexOf(":");
  const host = config.httpBind.slice(0, separator).replace(/^\[(.*)\]$/, "$1");
  return HttpServer.open({
    host,
    port: Number(config.httpBind.slice(separator + 1)),
    identity,
    requestSizeMax: config.httpRequestSizeMax,
    clock: realClock,
    random: realRandom,
    log,
    observe: metrics.observeRequest,
  });
}

async function openPorts(
  config: NodeConfig,
  { log, metrics, parts }: Shared & { parts: AsyncDisposableStack },
): Promise<NodePorts> {
  const measured = measuredStore(
    await openStore(config.store, log, parts),
    realClock,
    metrics.observeStore,
  );
  const store = retryingStore(measured, realClock, realRandom);
  const scratch = await openScratch();
  parts.defer(() => rm(scratch, { recursive: true, force: true }));
  const cacheDirectory = join(scratch, "cache");
  const { coreCount = availableParallelism(), fileCacheSizeMax: sizeMax } = config;
  const keeps = keepsRecent(config.fileCacheRecencyMs);
  const cache = parts.use(
    await FileCache.open({ store, directory: cacheDirectory, sizeMax, keeps, log }),
  );
  metrics.showMemory([{ name: "file_cache", sizeMax, sizeBytes: () => cache.sizeBytes }]);
  return {
    store,
    clock: realClock,
    random: realRandom,
    log,
    transport: parts.use(new HttpTransport()),
    stage: parts.use(new WorkerStage(log)),
    openEngine: (refill) =>
      DuckDbEngine.open({
        // Queries have theirs beside the buffer, which writes are refused to fill beyond this.
        memorySizeMax: engineSizeMax(config),
        threads: coreCount,
        queryCountMax: config.concurrentQueriesMax,
        temporaryDirectory: join(scratch, "engine"),
        cacheDirectory,
        files: cache,
        refill,
        log,
        clock: realClock,
      }),
    onFile: (file, bytes) => cache.seed(file, bytes),
    makeUuid: randomUUID,
    coreCount,
    version: VERSION,
  };
}

async function openStore(
  config: StoreConfig,
  log: Log,
  parts: AsyncDisposableStack,
): Promise<ObjectStore> {
  switch (config.kind) {
    case "memory":
      return memoryStore();
    case "file":
      return parts.use(await FileStore.open(config.directory, { random: realRandom, log }));
  }
}

/** Whether a file has rows that are young enough for its copy to be kept. */
function keepsRecent(recencyMs: number | undefined): (file: CachedFile) => boolean {
  if (recencyMs === undefined) return () => true;
  const recencyNs = BigInt(Math.floor(recencyMs)) * 1_000_000n;
  return ({ time }) => time.end >= realClock.nowNs() - recencyNs;
}

/** Where other nodes find this one: a wildcard is no address, so the machine's name stands for it. */
function advertised(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\])(?=:\d+$)/, hostname());
}

/** An address that a browser on this machine can open. */
function shown(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\])(?=:\d+$)/, "127.0.0.1");
}
