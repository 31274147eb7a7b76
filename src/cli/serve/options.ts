import { envName, type OptionSpec } from "../options.ts";
import { ACCESS_OPTIONS } from "./access-options.ts";
import { COMPACTION, LIMITS, WRITES } from "./data-options.ts";
import { LATER_OPTIONS, NEEDLESS_OPTIONS, REFUSED_OPTIONS } from "./idle-options.ts";
import { IGNORED_OPTIONS } from "./other-options.ts";
import { STORE_OPTIONS } from "./store-options.ts";
import { TLS_OPTIONS } from "./tls-options.ts";

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

const CLUSTER: readonly OptionSpec[] = [
  {
    name: "replica-max-buffer-size",
    value: "SIZE",
    about:
      "Memory of other nodes' rows that are in no file, as flushed; their logs are not read on beyond it [default: 10%, at most 192MB]",
    advanced: true,
  },
  {
    name: "wal-replica-recovery-concurrency",
    value: "COUNT",
    about:
      "Flushes of one other node's log that are read at once by a node that is behind, 8 MB of them at most",
    default: "4",
    advanced: true,
  },
  {
    name: "replication-interval",
    value: "DURATION",
    about: "How often a query node looks for writes of other nodes that it does not hear",
    default: "250ms",
  },
  {
    name: "catalog-sync-interval",
    value: "DURATION",
    about: "How often a node looks for changes of the catalog while it does not hear all others",
    default: "10s",
  },
  {
    name: "wait-for-running-ingester",
    value: "DURATION",
    about:
      "Longest time that a query node without mode ingest waits, when it starts, for the cluster's first node with it",
    default: "10s",
    old: { flags: ["wait-for-running-ingestor"] },
  },
  {
    name: "wait-for-running-compactor",
    value: "DURATION",
    about:
      "Longest time that a node without mode compact waits, when it starts, for a node with it",
    default: "0s",
    advanced: true,
  },
  {
    name: "conn-info",
    value: "ADDRESS",
    about:
      "Where other nodes reach this one, host:port, with https:// before it where it is TLS that answers there [default: the bound address, the machine's name for a wildcard]",
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
  {
    name: "log-format",
    value: "FORMAT",
    about: "Lines of the log: json, full (for people), pretty (over several lines) or logfmt",
    default: "json",
  },
  {
    name: "query-log-max-entries",
    value: "COUNT",
    about: "Queries that system.queries remembers",
    default: "1000",
    advanced: true,
    old: { flags: ["query-log-size"] },
  },
  { name: "verbose", short: "v", about: "Log at level debug, unless --log-filter is given" },
];

/** The options that do something, under the headings of the help. */
const EFFECTIVE_OPTIONS: readonly OptionSpec[] = [
  ...grouped("General", GENERAL),
  ...grouped("Object store", STORE_OPTIONS),
  ...grouped("Access", ACCESS_OPTIONS),
  ...grouped("HTTP", HTTP),
  ...grouped("TLS", TLS_OPTIONS),
  ...grouped("Memory and limits", LIMITS),
  ...grouped("Writes and snapshots", WRITES),
  ...grouped("Cluster", CLUSTER),
  ...grouped("Compaction", COMPACTION),
  ...grouped("Log", LOGS),
];

/** Every option of `serve`. */
export const SERVE_OPTIONS: readonly OptionSpec[] = [
  ...EFFECTIVE_OPTIONS,
  ...LATER_OPTIONS,
  ...NEEDLESS_OPTIONS,
  ...REFUSED_OPTIONS,
  ...IGNORED_OPTIONS,
];

function grouped(group: string, specs: readonly OptionSpec[]): readonly OptionSpec[] {
  return specs.map((spec) => ({ env: envName(spec.name), ...spec, group }));
}
