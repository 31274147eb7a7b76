import { envName, type OptionSpec } from "../options.ts";
import { ACCESS_OPTIONS } from "./access-options.ts";
import { IGNORED_OPTIONS, REFUSED_OPTIONS } from "./other-options.ts";
import { STORE_OPTIONS } from "./store-options.ts";

const GENERAL: readonly OptionSpec[] = [
  {
    name: "node-id",
    value: "NODE_ID",
    about: "Name of this node, unique in the cluster; its objects stand under it",
    env: "INFLUXDB3_NODE_ID",
    old: { envs: ["INFLUXDB3_NODE_IDENTIFIER_PREFIX"] },
  },
  {
    name: "node-id-from-env",
    value: "VARIABLE",
    about: "Take the node-id from this environment variable",
    env: "INFLUXDB3_NODE_ID_FROM_ENV",
    old: { envs: ["INFLUXDB3_NODE_IDENTIFIER_FROM_ENV"] },
  },
  {
    name: "cluster-id",
    value: "CLUSTER_ID",
    about: "Name of the cluster, the same on all its nodes and no node's name",
    env: "INFLUXDB3_CLUSTER_ID",
  },
  {
    name: "mode",
    value: "MODE",
    about: "What this node does: all, or some of ingest, query, process, compact, joined by commas",
    env: "INFLUXDB3_MODE",
    default: "all",
    repeats: true,
  },
];

const HTTP: readonly OptionSpec[] = [
  {
    name: "http-bind",
    value: "ADDRESS",
    about: "Address to listen on, host:port or :port; port 0 takes any",
    env: "INFLUXDB3_HTTP_BIND_ADDR",
    default: "0.0.0.0:8181",
  },
  {
    name: "tcp-listener-file-path",
    value: "FILE",
    about: "Write the bound address to this file",
    advanced: true,
  },
  {
    name: "max-http-request-size",
    value: "SIZE",
    about: "Largest body of a request, before and after it is inflated",
    default: "10485760",
  },
];

const LIMITS: readonly OptionSpec[] = [
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
    name: "max-concurrent-queries",
    value: "COUNT",
    about: "Queries that run at once; more wait [default: 4 for each core, at least 50]",
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

const WRITES: readonly OptionSpec[] = [
  {
    name: "wal-flush-interval",
    value: "DURATION",
    about:
      "Least time between two flushes; writes that come meanwhile share the next one [default: 0s, with a cloud 100ms]",
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
    name: "gen1-duration",
    value: "DURATION",
    about: "Span of time a snapshot's file covers: 1m, 5m or 10m",
    default: "10m",
    advanced: true,
  },
];

const CLUSTER: readonly OptionSpec[] = [
  {
    name: "replica-max-buffer-size",
    value: "SIZE",
    about:
      "Memory of other nodes' rows that are in no file, as flushed; their logs are not read on beyond it [default: 10%, at most 192MB]",
    advanced: true,
  },
  {
    name: "replication-interval",
    value: "DURATION",
    about: "How often a query node looks for other nodes' writes",
    default: "250ms",
  },
  {
    name: "catalog-sync-interval",
    value: "DURATION",
    about: "How often a node looks for changes of the catalog",
    default: "10s",
  },
];

const LOGS: readonly OptionSpec[] = [
  {
    name: "log-filter",
    value: "LEVEL",
    about: "What is logged: error, warn, info, debug or trace",
    default: "info",
    old: { envs: ["LOG_FILTER"] },
  },
  {
    name: "log-destination",
    value: "STREAM",
    about: "Where the log goes: stdout or stderr",
    default: "stdout",
  },
  { name: "verbose", short: "v", about: "Log at level debug, unless --log-filter is given" },
];

/** Every option of `serve`, under the headings of its help. */
export const SERVE_OPTIONS: readonly OptionSpec[] = [
  ...grouped("General", GENERAL),
  ...grouped("Object store", STORE_OPTIONS),
  ...grouped("Access", ACCESS_OPTIONS),
  ...grouped("HTTP", HTTP),
  ...grouped("Memory and limits", LIMITS),
  ...grouped("Writes and snapshots", WRITES),
  ...grouped("Cluster", CLUSTER),
  ...grouped("Log", LOGS),
  ...REFUSED_OPTIONS,
  ...IGNORED_OPTIONS,
];

function grouped(group: string, specs: readonly OptionSpec[]): readonly OptionSpec[] {
  return specs.map((spec) => ({ env: envName(spec.name), ...spec, group }));
}
