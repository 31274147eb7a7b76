import { envName, type OptionSpec } from "../options.ts";

/**
 * Options of the servers whose scripts run here unchanged, that change nothing in this version: a licence and reports
 * home do not exist, the inner parts they tune are others, or what they set up is not built.
 */
const IGNORED_NAMES: readonly string[] = `
  license-email license-file license-type disable-telemetry-upload telemetry-endpoint
  object-store-http2-only object-store-http2-max-frame-size object-store-cache-endpoint
  without-user-auth
  log-format query-log-max-entries query-log-size
  traces-exporter traces-exporter-jaeger-agent-host traces-exporter-jaeger-agent-port
  traces-exporter-jaeger-service-name traces-exporter-jaeger-trace-context-header-name traces-jaeger-debug-name
  traces-jaeger-tags traces-jaeger-max-msgs-per-second
  num-io-threads num-cores datafusion-num-threads datafusion-config datafusion-max-parquet-fanout
  datafusion-use-cached-parquet-loader datafusion-runtime-type datafusion-runtime-disable-lifo-slot
  datafusion-runtime-event-interval datafusion-runtime-global-queue-interval
  datafusion-runtime-max-blocking-threads datafusion-runtime-max-io-events-per-tick
  datafusion-runtime-thread-keep-alive datafusion-runtime-thread-priority query-file-limit
  wal-max-buffered-writes wal-max-write-buffer-size snapshotted-wal-files-to-keep num-wal-files-to-keep
  wal-replay-fail-on-error wal-replay-concurrency-limit checkpoint-interval gen1-lookback-duration
  wait-for-running-ingester wait-for-running-ingestor wait-for-running-compactor conn-info internode-bind-addr
  wal-replica-recovery-concurrency wal-replica-steady-concurrency wal-replica-queue-length
  wal-replica-recovery-tail-skip-limit replica-gen0-load-concurrency
  compaction-gen2-duration compaction-multipliers compaction-max-num-files-per-plan compaction-row-limit
  compaction-cleanup-wait compaction-check-interval compacted-data-load-concurrency-limit
  compacted-data-skip-file-index
  disable-file-cache disable-parquet-mem-cache file-cache-recency parquet-mem-cache-query-path-duration
  preemptive-cache-age parquet-mem-cache-prune-percentage parquet-mem-cache-prune-interval
  table-index-cache-max-entries table-index-cache-concurrency-limit last-cache-eviction-interval
  distinct-cache-eviction-interval last-value-cache-disable-from-history distinct-value-cache-disable-from-history
  plugin-dir plugin-repo virtual-env-location package-manager disable-package-management
  restrict-plugin-triggers-to plugin-dir-only
  retention-check-interval delete-grace-period hard-delete-default-duration
  upgrade-pacha-tree use-pacha-tree import-attempt-server-side-copy
`
  .trim()
  .split(/\s+/);

/** Options that promise safety this version does not have: starting without it would break the promise in silence. */
const REFUSED_NAMES: readonly string[] = `
  tls-cert tls-key tls-minimum-version permission-tokens-file
  jwt-key-id jwt-private-key jwt-issuer jwt-default-ttl-seconds
  oauth-issuer oauth-audience oauth-client-id oauth-scopes
`
  .trim()
  .split(/\s+/);

export const IGNORED_OPTIONS: readonly OptionSpec[] = IGNORED_NAMES.map((name) => ({
  name,
  value: "VALUE",
  valueOptional: true,
  about: "No effect",
  group: "Accepted, without effect in this version",
  advanced: true,
  env: envName(name),
}));

export const REFUSED_OPTIONS: readonly OptionSpec[] = REFUSED_NAMES.map((name) => ({
  name,
  value: "VALUE",
  valueOptional: true,
  about: "Not supported",
  group: "Refused in this version",
  advanced: true,
  env: envName(name),
}));
