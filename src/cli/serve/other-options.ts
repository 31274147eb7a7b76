import { envName, type OptionSpec } from "../options.ts";

/**
 * Options of the servers whose scripts run here unchanged, that change nothing: a licence and reports home do not exist,
 * the inner parts they tune are others, or what they set up is not built and of little use. Any value is taken.
 */
const IGNORED_NAMES: readonly string[] = `
  license-email license-file license-type disable-telemetry-upload telemetry-endpoint
  object-store-http2-only object-store-http2-max-frame-size object-store-cache-endpoint
  without-user-auth rbac-authoring-disabled
  jwt-key-id jwt-private-key jwt-issuer jwt-default-ttl-seconds
  oauth-issuer oauth-audience oauth-client-id oauth-scopes
  traces-exporter traces-exporter-jaeger-agent-host traces-exporter-jaeger-agent-port
  traces-exporter-jaeger-service-name traces-exporter-jaeger-trace-context-header-name traces-jaeger-debug-name
  traces-jaeger-tags traces-jaeger-max-msgs-per-second
  num-io-threads datafusion-num-threads datafusion-config datafusion-max-parquet-fanout
  datafusion-use-cached-parquet-loader datafusion-runtime-type datafusion-runtime-disable-lifo-slot
  datafusion-runtime-event-interval datafusion-runtime-global-queue-interval
  datafusion-runtime-max-blocking-threads datafusion-runtime-max-io-events-per-tick
  datafusion-runtime-thread-keep-alive datafusion-runtime-thread-priority
  wal-flush-concurrency wal-buffer-size wal-snapshots-to-keep snapshot-duration max-concurrent-snapshots
  merge-threshold-size gen0-max-rows-per-file gen0-max-file-size engine-path-prefix max-total-columns
  enable-retention disable-hybrid-query enable-auto-dvc auto-dvc-max-cardinality auto-dvc-refresh-interval
  upgrade-poll-interval file-cache-evict-after
  compaction-snapshots-limit compacted-data-load-concurrency-limit compacted-data-skip-file-index
  compactor-dispatch-ack-timeout compactor-input-size-budget compactor-max-concurrent-merges
  compactor-cleanup-cooldown final-compaction-age shard-count
  l1-tail-target-size l2-tail-target-size l3-tail-target-size l4-tail-target-size
  l1-target-file-size l2-target-file-size l3-target-file-size l4-target-file-size
  l1-promotion-count l2-promotion-count l3-promotion-count
  preemptive-cache-age parquet-mem-cache-prune-percentage parquet-mem-cache-prune-interval
  table-index-cache-max-entries table-index-cache-concurrency-limit
  virtual-env-location package-manager disable-package-management
  upgrade-pacha-tree use-pacha-tree import-attempt-server-side-copy serve-invocation-method test-mode
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
