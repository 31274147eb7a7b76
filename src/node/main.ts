import { randomBytes, randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import { Access } from "#access/access.ts";
import { findExpiryWarning, watchOperatorExpiry } from "#access/operator-expiry.ts";
import { TOKEN_SECRET_SIZE } from "#access/token-text.ts";
import { Tokens } from "#access/tokens.ts";
import { DbError } from "#base/errors.ts";
import { DuckDbEngine } from "#engine/duckdb/duckdb-engine.ts";
import type { HttpServerOptions } from "#http/options.ts";
import { findRecoveryMatch } from "#http/router.ts";
import { HttpServer } from "#http/server.ts";
import type { NodeIdentity } from "#http/services.ts";
import { type CachedFile, FileCache } from "#objectstore/file-cache.ts";
import { measuredStore } from "#objectstore/measured.ts";
import { retryingStore } from "#objectstore/retrying.ts";
import type { Log } from "#ports/log.ts";
import { WorkerStage } from "#staging/worker/worker-stage.ts";
import type { NodeConfig } from "./config.ts";
import { endOf } from "./members/ending.ts";
import { waitForOthers } from "./members/waiting.ts";
import { engineSizeMax } from "./memory.ts";
import { Metrics } from "./metrics.ts";
import { Node } from "./node.ts";
import type { QueryPart } from "./parts/query-part.ts";
import type { NodePorts } from "./ports.ts";
import { HttpTransport } from "./real/http-transport.ts";
import { pinoLog, realClock, realRandom } from "./real/machine.ts";
import { openFlight } from "./real/open-flight.ts";
import { openStore, retriesOf } from "./real/open-store.ts";
import { openScratch } from "./real/scratch.ts";
import { nodeServices, recoveryServices } from "./services.ts";
import { VERSION } from "./version.ts";

export interface NodeIo {
  out(line: string): void;
  error(line: string): void;
}

const STOP_WAIT_MS_MAX = 60_000;
/** An address that stands for all of the machine's. */
const WILDCARD = /^(0\.0\.0\.0|\[::\])(?=:\d+$)/;
const NO_TOKEN =
  "warning: this cluster has no token, so requests are refused (401); the first who asks gets the operator's: use 'create token --admin'";

/**
 * Runs a node until SIGTERM, SIGINT or `stop node`; resolves with the exit code, as `members/ending.ts` has it. Rejects with what keeps it
 * from starting.
 */
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
  const shared = { log, metrics, identity: identity() };
  const server = parts.use(await listen(config, shared));
  const recovery = parts.use(await listenForRecovery(config, shared));
  const ports = await openPorts(config, { log, metrics, parts });
  const address = advertised(config, server.address);
  node = await Node.start({ config, ports, processId, address });
  const running = node;
  metrics.show(running);
  const { access, tokens } = await openAccess(config, running, { log, parts }).catch(
    async (error: unknown) => {
      await running.stop(STOP_WAIT_MS_MAX);
      throw error;
    },
  );
  const clock = realClock;
  const services = nodeServices(running, {
    config,
    access,
    tokens,
    metrics,
    identity,
    clock,
    logPorts: ports,
  });
  const ended = Promise.race([stopped, running.stopAsked, running.failure]);
  if (
    await doneBefore(ended, (signal) =>
      waitForOthers({ config, catalog: running.catalog, clock, log }, signal),
    )
  ) {
    const { observeRequest } = metrics;
    const describe: QueryPart["describe"] = (...asked) => running.answers.describe(...asked);
    const flight = openFlight(config, { ...services, describe }, { log, observeRequest });
    server.serve(services, flight);
    recovery?.serve(recoveryServices(services, () => void recovery[Symbol.asyncDispose]()));
    await writeAddress(server, config.listenerFilePath);
    await writeAddress(recovery, config.recoveryListenerFilePath);
    io.out(
      `node ${config.nodeId} of cluster ${config.clusterId} serves ${shown(config, server.address)} (modes ${config.modes.join(",")})`,
    );
    if (!config.withoutAuth) warnOfTokens(running, io);
    if (recovery !== undefined) io.error(recoveryWarning(shown(config, recovery.address)));
  }
  const failure = await ended;
  await recovery?.[Symbol.asyncDispose]();
  // Until it has stopped it answers who asks whether it lives: nobody takes over what it is about to leave in order.
  await server.drain();
  const { nodeId } = config;
  const end = failure && (await endOf(failure, { nodeId, catalog: running.catalog, clock }));
  await running.stop(STOP_WAIT_MS_MAX);
  await server[Symbol.asyncDispose]();
  if (end === undefined) return 0;
  io.error(end.message);
  return end.exitCode;
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

/** Tells of what would keep people out. */
function warnOfTokens({ catalog }: Node, io: NodeIo): void {
  const expiry = findExpiryWarning(catalog, realClock.nowNs());
  if (catalog.state.tokens.size === 0) io.error(NO_TOKEN);
  else if (expiry !== undefined) io.error(`warning: ${expiry}`);
}

async function writeAddress(
  server: HttpServer | undefined,
  path: string | undefined,
): Promise<void> {
  if (server !== undefined && path !== undefined) await writeFile(path, server.address);
}

function recoveryWarning(url: string): string {
  return `warning: whoever reaches ${url} gets a new operator's token, once: 'create token --admin --regenerate --host ${url}'`;
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

function makeSecret(): Uint8Array {
  return randomBytes(TOKEN_SECRET_SIZE);
}

/** Who may do what on `node`, and the tokens for it. */
async function openAccess(
  { givenToken, withoutAuth }: NodeConfig,
  { catalog }: Node,
  { log, parts }: { log: Log; parts: AsyncDisposableStack },
): Promise<{ access: Access; tokens: Tokens }> {
  const stop = new AbortController();
  const clock = realClock;
  if (!withoutAuth) {
    const watching = watchOperatorExpiry({ catalog, clock, log }, stop.signal);
    parts.defer(() => watching);
  }
  parts.defer(() =>
    stop.abort(new DbError("unavailable", "node_stopping", "the node is stopping")),
  );
  const tokens = new Tokens({ catalog, clock, makeSecret });
  if (givenToken !== undefined && !withoutAuth) {
    const { name } = givenToken;
    const isAdopted = await tokens.adopt(givenToken);
    log.info(
      isAdopted
        ? "The given token is the operator's."
        : "The given token is not used: there are tokens.",
      { name },
    );
  }
  return { access: new Access({ catalog, clock, signal: stop.signal }), tokens };
}

type ListenOptions = Shared & { readonly identity: NodeIdentity };

function listen(config: NodeConfig, options: ListenOptions): Promise<HttpServer> {
  return openServer(config, config.httpBind, { ...options, access: config });
}

/** The listener for those who have lost the operator's token, if one is wanted. */
async function listenForRecovery(
  config: NodeConfig,
  options: ListenOptions,
): Promise<HttpServer | undefined> {
  const { recoveryBind, withoutAuth } = config;
  if (recoveryBind === undefined || withoutAuth) return undefined;
  const access = { withoutAuth, openActions: [] };
  return openServer(config, recoveryBind, { ...options, access, findMatch: findRecoveryMatch });
}

function openServer(
  config: NodeConfig,
  bind: string,
  options: ListenOptions & Pick<HttpServerOptions, "access" | "findMatch">,
): Promise<HttpServer> {
  const { metrics, ...rest } = options;
  const separator = bind.lastIndexOf(":");
  return HttpServer.open({
    ...rest,
    host: bind.slice(0, separator).replace(/^\[(.*)\]$/, "$1"),
    port: Number(bind.slice(separator + 1)),
    tls: config.tls,
    requestSizeMax: config.httpRequestSizeMax,
    clock: realClock,
    random: realRandom,
    observe: metrics.observeRequest,
  });
}

async function openPorts(
  config: NodeConfig,
  { log, metrics, parts }: Shared & { parts: AsyncDisposableStack },
): Promise<NodePorts> {
  const measured = measuredStore(
    await openStore(config.store, { clock: realClock, random: realRandom, log }, parts),
    realClock,
    metrics.observeStore,
  );
  const store = retryingStore(measured, realClock, realRandom, retriesOf(config.store));
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
    transport: parts.use(new HttpTransport({ trusted: trustedIn(config) })),
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

/** Whether a file has rows that are young enough for its copy to be kept. */
function keepsRecent(recencyMs: number | undefined): (file: CachedFile) => boolean {
  if (recencyMs === undefined) return () => true;
  const recencyNs = BigInt(Math.floor(recencyMs)) * 1_000_000n;
  return ({ time }) => time.end >= realClock.nowNs() - recencyNs;
}

/** Where other nodes find this one: a wildcard is no address, so the machine's name stands for it. */
function advertised({ advertisedAddress, tls }: NodeConfig, bound: string): string {
  const address = advertisedAddress ?? bound.replace(WILDCARD, hostname());
  return tls === undefined || address.startsWith("https://") ? address : `https://${address}`;
}

/** A URL that a browser on this machine can open. */
function shown({ tls }: NodeConfig, bound: string): string {
  const scheme = tls === undefined ? "http" : "https";
  return `${scheme}://${bound.replace(WILDCARD, "127.0.0.1")}`;
}

/** What is trusted in other nodes: the certificate that all nodes may share is this node's own. */
function trustedIn({ peerAuthorities, tls }: NodeConfig): readonly string[] {
  return [tls?.certificate, peerAuthorities].filter((pem) => pem !== undefined);
}
