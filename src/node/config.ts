import type { Action } from "#access/authorize.ts";
import type { GivenToken } from "#access/tokens.ts";
import type { ServerTls } from "#http/options.ts";
import type { StoreConfig } from "#objectstore/cloud/config.ts";

/** How a node is set up; made by cli/ from options, by sim/ from a scenario. Sizes in bytes, times in milliseconds. */
export interface NodeConfig {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly modes: readonly NodeMode[];
  readonly store: StoreConfig;
  /** `host:port` to listen on; port 0 takes any. */
  readonly httpBind: string;
  /** Whether requests need no token. */
  readonly withoutAuth: boolean;
  /** What requests may do without a token all the same. */
  readonly openActions: readonly Action[];
  /** The operator's token for a cluster that has no token. */
  readonly givenToken: GivenToken | undefined;
  /** `host:port` at which whoever asks gets a new operator's token, once. */
  readonly recoveryBind: string | undefined;
  /** A file that receives that address once it is bound. */
  readonly recoveryListenerFilePath: string | undefined;
  readonly flushIntervalMs: number;
  /** A snapshot after this many flushes; undefined: by size and age alone. */
  readonly flushesPerSnapshot: number | undefined;
  readonly snapshotSizeBytes: number;
  readonly snapshotAgeMs: number;
  /** Buffered bytes that force a snapshot; writes are refused at twice as many. */
  readonly bufferSizeMax: number;
  /** Bytes that blocks of other nodes' rows may take; their logs are not read on beyond that. */
  readonly peerRowsSizeMax: number;
  readonly gen1DurationMs: number;
  /** Entries of a log between its checkpoints; 1,000 unless given. */
  readonly checkpointEntries?: number;
  /** Files of a part of the manifest; PART_FILES_MAX unless given. */
  readonly manifestPartFilesMax?: number;
  readonly replicationIntervalMs: number;
  readonly catalogSyncIntervalMs: number;
  readonly httpRequestSizeMax: number;
  readonly engineMemorySizeMax: number;
  readonly fileCacheSizeMax: number;
  readonly concurrentQueriesMax: number;
  readonly queryTimeoutMs: number;
  readonly databaseCountMax: number;
  readonly tableCountMax: number;
  readonly columnCountMax: number;
  readonly tagCountMax: number;
  /** The options its user gave, secret ones left out, as a JSON object: for `show nodes`. */
  readonly cliParams?: string;
  readonly compaction: CompactionConfig;
  /** A file that receives the bound address. */
  readonly listenerFilePath: string | undefined;
  readonly logLevel: "error" | "warn" | "info" | "debug" | "trace";
  readonly logDestination: "stdout" | "stderr";
  /** One JSON object a line unless given. */
  readonly logFormat?: LogFormat | undefined;
  /** SWEEP_DEFAULTS unless given. */
  readonly sweep?: SweepConfig | undefined;
  /** Writes that may wait to become durable, however small; no bound but their size unless given. */
  readonly pendingWritesMax?: number | undefined;
  /** Entries of the node's log that stay although they are in files and adopted; none unless given. */
  readonly coveredEntriesToKeep?: number | undefined;
  /** A checkpoint of the node's log at least so often while it grows; by entries alone unless given. */
  readonly checkpointIntervalMs?: number | undefined;
  /** Entries of the node's own log, and of each other's, that are read at once by who is behind; 4 unless given. */
  readonly ownLogReadsMax?: number | undefined;
  readonly peerLogReadsMax?: number | undefined;
  /** A node that takes no writes itself waits so long, at its start, for one that does; not at all unless given. */
  readonly ingesterWaitMsMax?: number | undefined;
  /** The same for a compactor. */
  readonly compactorWaitMsMax?: number | undefined;
  /** `host:port` where other nodes are told to find this one; the address it listens on unless given. */
  readonly advertisedAddress?: string | undefined;
  /** The node's ports speak TLS. */
  readonly tls?: ServerTls | undefined;
  /** Certificates in PEM that this node trusts in others, beside its own and those of the system. */
  readonly peerAuthorities?: string | undefined;
  /** Threads of the engine, and what the cluster is told; the machine's cores unless given. */
  readonly coreCount?: number | undefined;
  /** Data files that one query may read; no bound unless given. */
  readonly queryFilesMax?: number | undefined;
  /** Queries that `system.queries` remembers; none unless given. */
  readonly queryLogEntriesMax?: number | undefined;
  /** Copies of files whose rows are all older are not kept; no age is too old unless given. */
  readonly fileCacheRecencyMs?: number | undefined;
  /** When the files of a dropped database may go, counted from the drop, where the drop does not say; 90 days unless given. */
  readonly hardDeleteDefaultMs?: number | undefined;
}

export type LogFormat = "json" | "full" | "pretty" | "logfmt";

/** What the compactor in office keeps to. */
export interface CompactionConfig {
  /** The shortest windows whose files are merged. */
  readonly gen2DurationMs: number;
  /** How many windows of one generation make one of the next. */
  readonly multipliers: readonly number[];
  readonly filesPerPlanMax: number;
  /** Bytes of the files that are merged at once, which have copies on the local disk meanwhile. */
  readonly inputSizeMax: number;
  /** Rows of a file, about. */
  readonly rowLimit: number;
  /** Replaced files stay so long. */
  readonly cleanupWaitMs: number;
  readonly checkIntervalMs: number;
}

export const COMPACTION_DEFAULTS: CompactionConfig = {
  gen2DurationMs: 20 * 60_000,
  multipliers: [3, 4, 6, 5],
  filesPerPlanMax: 500,
  inputSizeMax: 2 ** 30,
  rowLimit: 1_000_000,
  cleanupWaitMs: 10 * 60_000,
  checkIntervalMs: 10_000,
};

/** How files of compactors that no record names are looked for. */
export interface SweepConfig {
  /** Undefined: never. */
  readonly intervalMs: number | undefined;
  /** They go when they have been known for so long. */
  readonly graceMs: number;
  /** Only says what it would delete. */
  readonly dryRun: boolean;
  /** What was deleted is told for so long. */
  readonly auditRetentionMs: number;
}

const DAY_MS = 86_400_000;

export const SWEEP_DEFAULTS: SweepConfig = {
  intervalMs: 7 * DAY_MS,
  graceMs: DAY_MS,
  dryRun: false,
  auditRetentionMs: 7 * DAY_MS,
};

export type NodeMode = "ingest" | "query" | "process" | "compact";
export const NODE_MODES: readonly NodeMode[] = ["ingest", "query", "process", "compact"];

/** Whether a node of these modes reads the logs of others. */
export function readsPeers(modes: readonly NodeMode[]): boolean {
  return modes.includes("query") || modes.includes("compact");
}
