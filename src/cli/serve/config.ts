import { resolve } from "node:path";
import { DbError } from "#base/errors.ts";
import {
  type CompactionConfig,
  NODE_MODES,
  type NodeConfig,
  type NodeMode,
  type SweepConfig,
} from "#node/config.ts";
import type { StoreConfig } from "#objectstore/cloud/config.ts";
import type { Settings } from "../options.ts";
import { parseBindAddress, parsePeerAddress } from "../values/address.ts";
import { parseCount, parseCountOf } from "../values/count.ts";
import { parseDuration, parseInterval } from "../values/duration.ts";
import { parseSize } from "../values/size.ts";
import { usageError } from "../values/usage.ts";
import { accessConfig } from "./access-options.ts";
import { cliParams } from "./cli-params.ts";
import { storeConfig } from "./store-options.ts";
import { tlsConfig } from "./tls-options.ts";

/** What the options are read against. */
export interface Machine {
  /** Since the Unix epoch. */
  readonly nowMs: number;
  readonly memoryBytes: number;
  readonly coreCount: number;
  readonly workingDirectory: string;
}

const MIB = 2 ** 20;
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const LOG_LEVELS = ["error", "warn", "info", "debug", "trace"] as const;
const LOG_FORMATS = ["json", "full", "pretty", "logfmt"] as const;
const GEN1_DURATIONS_MS: readonly number[] = [60_000, 300_000, 600_000];
const CLOUD_FLUSH_INTERVAL_MS = 100;
/** Files that are merged at once take as much of the disk as all that the cache keeps, but some full ones fit, and more help little. */
const INPUT_SIZE_LEAST = 1_024 * MIB;
const INPUT_SIZE_MOST = 4_096 * MIB;
const CORE_COUNT_MAX = 1_024;
const MULTIPLIER_COUNT_MAX = 8;
const MULTIPLIER_MAX = 1_000;
/** A log of more queries than this would take more than some hundred megabytes. */
const QUERY_LOG_ENTRIES_MAX = 100_000;
const KEPT_ENTRIES_MAX = 1_000_000;
const LOG_READS_MAX = 1_000;
const SIX_HOURS_MS = 6 * 3_600_000;
const YEAR_MS = 366 * 86_400_000;
const COMPACTION_WINDOW_MS_MAX = 100 * YEAR_MS;

/**
 * The set-up of a node that `settings` describe.
 *
 * Throws a usage error for a missing or unreadable option, and `invalid` / `cluster_id_is_node_id`; of the token file, `file_unreadable` or
 * `token_file`.
 */
export function nodeConfig(
  settings: Settings,
  env: Readonly<Record<string, string | undefined>>,
  machine: Machine,
): NodeConfig {
  const nodeId = readNodeId(settings, env);
  const clusterId = settings.parse("cluster-id", parseId);
  if (nodeId === clusterId) {
    throw new DbError(
      "invalid",
      "cluster_id_is_node_id",
      "cluster-id cannot match any node-id in the cluster",
      { detail: { nodeId } },
    );
  }
  const { memoryBytes, workingDirectory } = machine;
  const store = storeConfig(settings, { workingDirectory, env });
  // What is not given is a share of the machine, and no more than keeps a node small on a large one (docs/decisions/0010).
  const memory = (name: string, { percent, sizeMax }: { percent: number; sizeMax: number }) =>
    settings.parseIfGiven(name, (text) => parseSize(text, { wholeBytes: memoryBytes })) ??
    Math.min(Math.floor((memoryBytes * percent) / 100), sizeMax);
  const fileCacheSizeMax = readFileCacheSize(
    settings,
    memory("file-cache-size", { percent: 20, sizeMax: Number.POSITIVE_INFINITY }),
  );
  return {
    nodeId,
    clusterId,
    modes: settings.parse("mode", parseModes),
    store,
    httpBind: settings.parse("http-bind", parseBindAddress),
    ...accessConfig(settings, machine),
    ...tlsConfig(settings, workingDirectory),
    ...writeConfig(settings, store),
    bufferSizeMax: memory("force-snapshot-mem-size", { percent: 10, sizeMax: 192 * MIB }),
    peerRowsSizeMax: memory("replica-max-buffer-size", { percent: 10, sizeMax: 192 * MIB }),
    ...clusterConfig(settings),
    httpRequestSizeMax: settings.parse("max-http-request-size", (text) =>
      parseSize(text, { bareUnit: "b" }),
    ),
    engineMemorySizeMax: memory("exec-mem-pool-size", { percent: 20, sizeMax: 384 * MIB }),
    fileCacheSizeMax,
    fileCacheRecencyMs: settings.parseIfGiven("file-cache-recency", parseInterval),
    coreCount: settings.parseIfGiven("num-cores", parseCoreCount),
    ...queryConfig(settings, machine),
    ...limitConfig(settings),
    cliParams: cliParams(settings),
    listenerFilePath: settings.parseIfGiven("tcp-listener-file-path", (text) =>
      resolve(machine.workingDirectory, text),
    ),
    compaction: compactionConfig(settings, fileCacheSizeMax),
    sweep: sweepConfig(settings),
    hardDeleteDefaultMs: settings.parse("hard-delete-default-duration", parseDuration),
    logLevel: readLogLevel(settings),
    logDestination: settings.choose("log-destination", ["stdout", "stderr"]),
    logFormat: settings.choose("log-format", LOG_FORMATS),
  };
}

function writeConfig(settings: Settings, store: StoreConfig) {
  return {
    flushIntervalMs:
      settings.parseIfGiven("wal-flush-interval", parseDuration) ?? flushIntervalOf(store),
    flushesPerSnapshot: settings.parseIfGiven("wal-files-per-snapshot", parseCount),
    pendingWritesMax: settings.parse("wal-max-buffered-writes", parseCount),
    coveredEntriesToKeep: settings.parse("snapshotted-wal-files-to-keep", (text) =>
      parseCountOf(text, { min: 0, max: KEPT_ENTRIES_MAX }),
    ),
    checkpointIntervalMs: settings.parseIfGiven("checkpoint-interval", (text) =>
      parseInterval(text, 1_000, "1s"),
    ),
    ownLogReadsMax: settings.parse("wal-replay-concurrency-limit", parseReadCount),
    snapshotSizeBytes: settings.parse("snapshot-size", (text) => parseSize(text)),
    snapshotAgeMs: settings.parse("snapshot-age", parseInterval),
    gen1DurationMs: settings.parse("gen1-duration", parseGen1Duration),
  };
}

/** Each put of a cloud costs money; a folder or memory takes as many as come. */
function flushIntervalOf({ kind }: StoreConfig): number {
  return kind === "file" || kind === "memory" ? 0 : CLOUD_FLUSH_INTERVAL_MS;
}

function clusterConfig(settings: Settings) {
  return {
    replicationIntervalMs: settings.parse("replication-interval", parseInterval),
    peerLogReadsMax: settings.parse("wal-replica-recovery-concurrency", parseReadCount),
    catalogSyncIntervalMs: settings.parse("catalog-sync-interval", parseInterval),
    ingesterWaitMsMax: settings.parse("wait-for-running-ingester", parseDuration),
    compactorWaitMsMax: settings.parse("wait-for-running-compactor", parseDuration),
    advertisedAddress: settings.parseIfGiven("conn-info", parsePeerAddress),
  };
}

function queryConfig(settings: Settings, machine: Machine) {
  const coreCount = settings.parseIfGiven("num-cores", parseCoreCount) ?? machine.coreCount;
  return {
    concurrentQueriesMax:
      settings.parseIfGiven("max-concurrent-queries", parseCount) ?? Math.max(50, 4 * coreCount),
    queryTimeoutMs: settings.parse("query-timeout", parseInterval),
    queryFilesMax: settings.parseIfGiven("query-file-limit", parseCount),
    queryLogEntriesMax: settings.parse("query-log-max-entries", (text) =>
      parseCountOf(text, { min: 0, max: QUERY_LOG_ENTRIES_MAX }),
    ),
  };
}

function limitConfig(settings: Settings) {
  return {
    databaseCountMax: settings.parse("num-database-limit", parseCount),
    tableCountMax: settings.parse("num-table-limit", parseCount),
    columnCountMax: settings.parse("num-total-columns-per-table-limit", parseCount),
    tagCountMax: settings.parse("num-tag-columns-limit", parseCount),
  };
}

function compactionConfig(settings: Settings, fileCacheSizeMax: number): CompactionConfig {
  const gen1DurationMs = settings.parse("gen1-duration", parseGen1Duration);
  const gen2DurationMs = settings.parse("compaction-gen2-duration", (text) => {
    const ms = parseDuration(text);
    if (ms > 0 && ms % gen1DurationMs === 0) return ms;
    const minutes = gen1DurationMs / 60_000;
    throw usageError(`give a multiple of --gen1-duration, which is ${minutes}m`);
  });
  return {
    gen2DurationMs,
    multipliers: settings.parse("compaction-multipliers", (text) =>
      parseMultipliers(text, gen2DurationMs),
    ),
    filesPerPlanMax: settings.parse("compaction-max-num-files-per-plan", (text) =>
      parseCountOf(text, { min: 2, max: 100_000 }),
    ),
    inputSizeMax: Math.min(Math.max(fileCacheSizeMax, INPUT_SIZE_LEAST), INPUT_SIZE_MOST),
    rowLimit: settings.parse("compaction-row-limit", parseCount),
    cleanupWaitMs: settings.parse("compaction-cleanup-wait", parseDuration),
    checkIntervalMs: settings.parse("compaction-check-interval", parseInterval),
  };
}

function sweepConfig(settings: Settings): SweepConfig {
  const intervalMs = settings.parse("compactor-sweep-interval", parseDuration);
  return {
    intervalMs: intervalMs > 0 ? intervalMs : undefined,
    graceMs: settings.parse("compactor-sweep-grace", (text) =>
      parseInterval(text, SIX_HOURS_MS, "6h"),
    ),
    dryRun: settings.choose("compactor-sweep-mode", ["armed", "dry-run"]) === "dry-run",
    auditRetentionMs: settings.parse("compactor-sweep-audit-retention", parseInterval),
  };
}

function readNodeId(settings: Settings, env: Readonly<Record<string, string | undefined>>): string {
  const variable = settings.find("node-id-from-env");
  const own = settings.source("node-id");
  const other = settings.source("node-id-from-env");
  // A flag beats the environment's word for the other option.
  if (variable === undefined || (own === "flag" && other === "env")) {
    return settings.parse("node-id", parseId);
  }
  if (own !== undefined && own === other) {
    throw usageError("--node-id and --node-id-from-env cannot be used together");
  }
  const text = env[variable];
  if (text === undefined || text === "") {
    throw usageError(`the variable ${variable} named by --node-id-from-env is not set`);
  }
  try {
    return parseId(text);
  } catch (error) {
    throw usageError(`invalid node-id '${text}' in the variable ${variable}`, error);
  }
}

/** An id is part of object keys: the characters of those, without their separators. */
export function parseId(text: string): string {
  if (!ID.test(text)) {
    throw usageError(
      "use up to 128 letters, digits, '-', '_' and '.', the first a letter or a digit",
    );
  }
  return text;
}

function parseModes(text: string): readonly NodeMode[] {
  const modes = new Set<NodeMode>();
  for (const part of text.split(",")) {
    const name = part.trim();
    const found = name === "all" ? NODE_MODES : NODE_MODES.filter((mode) => mode === name);
    if (found.length === 0) {
      throw usageError(`unknown mode '${name}'; possible modes are all, ${NODE_MODES.join(", ")}`);
    }
    for (const mode of found) modes.add(mode);
  }
  return NODE_MODES.filter((mode) => modes.has(mode));
}

/** The size is checked though the switch makes it nothing. */
function readFileCacheSize(settings: Settings, sizeMax: number): number {
  return settings.isOn("disable-file-cache") ? 0 : sizeMax;
}

function parseCoreCount(text: string): number {
  return parseCountOf(text, { min: 2, max: CORE_COUNT_MAX });
}

function parseReadCount(text: string): number {
  return parseCountOf(text, { min: 1, max: LOG_READS_MAX });
}

function parseMultipliers(text: string, gen2DurationMs: number): readonly number[] {
  const multipliers = text
    .split(",")
    .map((part) => parseCountOf(part.trim(), { min: 2, max: MULTIPLIER_MAX }));
  if (multipliers.length > MULTIPLIER_COUNT_MAX) {
    throw usageError(`give at most ${MULTIPLIER_COUNT_MAX} numbers`);
  }
  const longestMs = multipliers.reduce((ms, multiplier) => ms * multiplier, gen2DurationMs);
  if (longestMs > COMPACTION_WINDOW_MS_MAX) {
    throw usageError("together they make windows longer than 100 years");
  }
  return multipliers;
}

function parseGen1Duration(text: string): number {
  const ms = parseDuration(text);
  if (!GEN1_DURATIONS_MS.includes(ms)) throw usageError("possible values are 1m, 5m, 10m");
  return ms;
}

function readLogLevel(settings: Settings): NodeConfig["logLevel"] {
  if (settings.isOn("verbose") && settings.source("log-filter") === "default") return "debug";
  return settings.parse("log-filter", parseLogLevel);
}

/** The level of `level[,component=level…]`; there are no components with a level of their own. */
function parseLogLevel(text: string): NodeConfig["logLevel"] {
  let level: NodeConfig["logLevel"] = "info";
  for (const part of text.split(",")) {
    const [component = "", componentLevel] = part.split("=");
    const name = (componentLevel ?? component).trim().toLowerCase();
    const found = LOG_LEVELS.find((known) => known === name);
    if (found === undefined) throw usageError(`possible levels are ${LOG_LEVELS.join(", ")}`);
    if (componentLevel === undefined) level = found;
  }
  return level;
}
