import type { OptionSpec } from "../options.ts";

/** Memory, cores, caches, and what queries and schemas may need at most. */
export const LIMITS: readonly OptionSpec[] = [
  {
    name: "exec-mem-pool-size",
    value: "SIZE",
    about: "Memory of queries, as a size or a share of the machine's [default: 20%, at most 384MB]",
    old: { flags: ["exec-mem-pool-bytes"], bareUnit: "mb" },
  },
  {
    name: "file-cache-size",
    value: "SIZE",
    about:
      "Room for copies of data files on disk, as a size or a share of the machine's memory [default: 20%]",
    old: { flags: ["parquet-mem-cache-size"], bareUnit: "mb" },
  },
  {
    name: "file-cache-recency",
    value: "DURATION",
    about: "Keep no copies of files whose rows are all older [default: of any age]",
    advanced: true,
    old: { flags: ["parquet-mem-cache-query-path-duration"] },
  },
  {
    name: "disable-file-cache",
    about: "Keep no copies of data files beyond the queries that read them",
    advanced: true,
    old: { flags: ["disable-parquet-mem-cache"] },
  },
  {
    name: "num-cores",
    value: "COUNT",
    about: "Cores that queries may use, at least 2 [default: all]",
  },
  {
    name: "max-concurrent-queries",
    value: "COUNT",
    about: "Queries that run at once; more wait [default: 4 for each core, at least 50]",
  },
  {
    name: "query-file-limit",
    value: "COUNT",
    about: "Data files that one query may read [default: any number]",
    advanced: true,
  },
  {
    name: "query-timeout",
    value: "DURATION",
    about: "Longest time a query may take",
    default: "5m",
    advanced: true,
  },
  {
    name: "num-database-limit",
    value: "COUNT",
    about: "Databases a cluster may have",
    default: "100",
    advanced: true,
  },
  {
    name: "num-table-limit",
    value: "COUNT",
    about: "Tables a cluster may have",
    default: "10000",
    advanced: true,
  },
  {
    name: "num-total-columns-per-table-limit",
    value: "COUNT",
    about: "Columns a table may have, time and tags included",
    default: "500",
    advanced: true,
  },
  {
    name: "num-tag-columns-limit",
    value: "COUNT",
    about: "Tags a table may have",
    default: "250",
    advanced: true,
  },
];

/** From a write to its files, and how long these stay. */
export const WRITES: readonly OptionSpec[] = [
  {
    name: "wal-flush-interval",
    value: "DURATION",
    about:
      "Least time between two flushes; writes that come meanwhile share the next one [default: 0s for file and memory, 100ms for clouds]",
  },
  {
    name: "wal-max-buffered-writes",
    value: "COUNT",
    about: "Writes that may wait for a flush; more are refused with 429",
    default: "100000",
    advanced: true,
    old: { flags: ["wal-max-write-buffer-size"] },
  },
  {
    name: "force-snapshot-mem-size",
    value: "SIZE",
    about:
      "Memory of rows in no file that forces a snapshot; writes are refused at twice as much [default: 10%, at most 192MB]",
    old: { flags: ["force-snapshot-mem-threshold"], bareUnit: "mb" },
  },
  {
    name: "snapshot-size",
    value: "SIZE",
    about: "Flushed data that makes a snapshot due",
    default: "64MB",
    advanced: true,
  },
  {
    name: "snapshot-age",
    value: "DURATION",
    about: "Age of flushed data that makes a snapshot due",
    default: "10m",
    advanced: true,
  },
  {
    name: "wal-files-per-snapshot",
    value: "COUNT",
    about: "Flushes that make a snapshot due [default: size and age alone decide]",
    advanced: true,
    old: { flags: ["wal-snapshot-size"] },
  },
  {
    name: "snapshotted-wal-files-to-keep",
    value: "COUNT",
    about:
      "Flushes that stay in the node's log after they are in files, so that nodes that are behind need no checkpoint",
    default: "0",
    advanced: true,
    old: { flags: ["num-wal-files-to-keep"] },
  },
  {
    name: "wal-replay-concurrency-limit",
    value: "COUNT",
    about: "Flushes of the node's log that its start reads at once, 8 MB of them at most",
    default: "4",
    advanced: true,
  },
  {
    name: "checkpoint-interval",
    value: "DURATION",
    about:
      "Longest time without a checkpoint of the node's log while it grows [default: 1000 entries alone decide]",
    advanced: true,
  },
  {
    name: "hard-delete-default-duration",
    value: "DURATION",
    about: "How long files of a dropped database stay, where the drop does not say",
    default: "90d",
    advanced: true,
  },
  {
    name: "gen1-duration",
    value: "DURATION",
    about: "Span of time a snapshot's file covers: 1m, 5m or 10m",
    default: "10m",
    advanced: true,
  },
];

/** When files are made into larger ones. */
export const COMPACTION: readonly OptionSpec[] = [
  {
    name: "compaction-gen2-duration",
    value: "DURATION",
    about: "Span of time of the first compacted files; a multiple of --gen1-duration",
    default: "20m",
  },
  {
    name: "compaction-multipliers",
    value: "NUMBERS",
    about: "How many spans of one generation make one of the next, joined by commas",
    default: "3,4,6,5",
  },
  {
    name: "compaction-max-num-files-per-plan",
    value: "COUNT",
    about: "Files that are compacted at once",
    default: "500",
  },
  {
    name: "compaction-row-limit",
    value: "COUNT",
    about: "Rows of one compacted file, about; four times as many where history is long",
    default: "1000000",
    advanced: true,
  },
  {
    name: "compaction-cleanup-wait",
    value: "DURATION",
    about: "How long files stay after compacted ones have replaced them",
    default: "10m",
  },
  {
    name: "compaction-check-interval",
    value: "DURATION",
    about: "How often the compactor looks for work",
    default: "10s",
  },
  {
    name: "compactor-sweep-interval",
    value: "DURATION",
    about: "How often files of compactors are looked for that nothing names; 0s: never",
    default: "7d",
    advanced: true,
  },
  {
    name: "compactor-sweep-grace",
    value: "DURATION",
    about: "How long such files have been known before they go, at least 6h",
    default: "12h",
    advanced: true,
  },
  {
    name: "compactor-sweep-mode",
    value: "MODE",
    about: "What becomes of them: armed (they are deleted) or dry-run (they are named)",
    default: "armed",
    advanced: true,
  },
  {
    name: "compactor-sweep-audit-retention",
    value: "DURATION",
    about: "How long it is told what was deleted",
    default: "7d",
    advanced: true,
  },
];
