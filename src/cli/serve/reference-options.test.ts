/** Goes through every option of the servers whose scripts run here: it is there, under all its names, and does what its row says. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isKind } from "#base/errors.ts";
import { AUTHORITY_PATH, CERTIFICATE_PATH, KEY_PATH } from "#testing/tls/files.ts";
import { envName } from "../options.ts";
import { run } from "../testing/run.ts";
import { isUsageError } from "../values/usage.ts";
import { SERVE_OPTIONS } from "./options.ts";
import type { PreparedNode } from "./prepare.ts";
import { BASE, prepared } from "./testing/prepared.ts";

/**
 * - `effect`: a good value changes the node's set-up, the same by each of its names.
 * - `later`: checked, and named in the warning of what has no effect yet.
 * - `needless`: checked, and named in the warning of what has no effect.
 * - `ignored`: any value is taken, and named in that warning.
 * - `refused`: checked, and keeps the node from starting.
 * - `apart`: there; the test of its own part tells its effect.
 */
type State = "effect" | "later" | "needless" | "ignored" | "refused" | "apart";

interface Row {
  readonly flag: string;
  readonly state: State;
  /** A value; none for a switch. */
  readonly good?: string;
  /** A value that is refused; of a switch, one of its variable. */
  readonly bad?: string;
  /** The variable, where it does not follow the rule. */
  readonly env?: string;
  readonly oldFlags?: readonly string[];
  readonly oldEnvs?: readonly string[];
  /** What stands on the command line beside it. */
  readonly beside?: readonly string[];
}

const BARE = ["--cluster-id", "c", "--object-store", "memory"];
const NAMED = ["--node-id", "n", "--cluster-id", "c"];

const EFFECT: readonly Omit<Row, "state">[] = [
  {
    flag: "node-id",
    good: "n2",
    bad: "a/b",
    beside: BARE,
    oldEnvs: ["INFLUXDB3_NODE_IDENTIFIER_PREFIX"],
  },
  {
    flag: "node-id-from-env",
    good: "POD",
    bad: "NOT_SET",
    beside: BARE,
    oldEnvs: ["INFLUXDB3_NODE_IDENTIFIER_FROM_ENV"],
  },
  {
    flag: "cluster-id",
    good: "c2",
    bad: "..",
    beside: ["--node-id", "n", "--object-store", "memory"],
  },
  { flag: "mode", good: "query", bad: "ingets" },
  { flag: "object-store", good: "memory", bad: "tape", beside: NAMED },
  {
    flag: "data-dir",
    good: "d",
    beside: [...NAMED, "--object-store", "file"],
    oldEnvs: ["INFLUXDB3_DB_DIR"],
  },
  { flag: "query-file-limit", good: "432", bad: "0" },
  { flag: "verbose" },
  { flag: "log-filter", good: "warn,http=debug", bad: "loud", oldEnvs: ["LOG_FILTER"] },
  { flag: "log-destination", good: "stderr", bad: "file" },
  { flag: "log-format", good: "full", bad: "xml" },
  { flag: "query-log-max-entries", good: "5", bad: "-1", oldFlags: ["query-log-size"] },
  { flag: "http-bind", good: "http://localhost:8282", bad: "x:y", env: "INFLUXDB3_HTTP_BIND_ADDR" },
  { flag: "max-http-request-size", good: "20mb", bad: "big" },
  { flag: "exec-mem-pool-size", good: "300mb", bad: "8000", oldFlags: ["exec-mem-pool-bytes"] },
  {
    flag: "force-snapshot-mem-size",
    good: "12%",
    bad: "120",
    oldFlags: ["force-snapshot-mem-threshold"],
  },
  { flag: "max-concurrent-queries", good: "3", bad: "0" },
  { flag: "num-cores", good: "17", bad: "1" },
  { flag: "num-database-limit", good: "5", bad: "x" },
  { flag: "num-table-limit", good: "5", bad: "x" },
  { flag: "num-total-columns-per-table-limit", good: "5", bad: "x" },
  { flag: "tcp-listener-file-path", good: "port" },
  { flag: "wal-flush-interval", good: "250ms", bad: "fast" },
  { flag: "wal-files-per-snapshot", good: "1", bad: "0", oldFlags: ["wal-snapshot-size"] },
  {
    flag: "wal-max-buffered-writes",
    good: "10",
    bad: "0",
    oldFlags: ["wal-max-write-buffer-size"],
  },
  {
    flag: "snapshotted-wal-files-to-keep",
    good: "300",
    bad: "-1",
    oldEnvs: ["INFLUXDB3_NUM_WAL_FILES_TO_KEEP"],
  },
  { flag: "wal-replay-concurrency-limit", good: "10", bad: "0" },
  { flag: "wal-replica-recovery-concurrency", good: "16", bad: "0" },
  { flag: "checkpoint-interval", good: "1h", bad: "1ms" },
  { flag: "gen1-duration", good: "5m", bad: "7m" },
  { flag: "snapshot-size", good: "250MB", bad: "250" },
  { flag: "replication-interval", good: "50ms", bad: "0s" },
  { flag: "catalog-sync-interval", good: "1s", bad: "0s" },
  {
    flag: "wait-for-running-ingester",
    good: "1s",
    bad: "soon",
    oldFlags: ["wait-for-running-ingestor"],
  },
  { flag: "wait-for-running-compactor", good: "1s", bad: "soon" },
  {
    flag: "tls-minimum-version",
    good: "tls-1.3",
    bad: "ssl-3",
    beside: [...BASE, "--tls-cert", CERTIFICATE_PATH, "--tls-key", KEY_PATH],
  },
  { flag: "internode-tls-ca", good: AUTHORITY_PATH, bad: "/nonexistent/ca.pem" },
  { flag: "conn-info", good: "host01:8181", bad: "0.0.0.0:8181" },
  { flag: "replica-max-buffer-size", good: "5%", bad: "5" },
  { flag: "compaction-gen2-duration", good: "40m", bad: "15m" },
  { flag: "compaction-multipliers", good: "2,3", bad: "3,1" },
  { flag: "compaction-max-num-files-per-plan", good: "10", bad: "1" },
  { flag: "compaction-row-limit", good: "5000000", bad: "many" },
  { flag: "compaction-cleanup-wait", good: "1m", bad: "10" },
  { flag: "compaction-check-interval", good: "1s", bad: "0s" },
  { flag: "compactor-sweep-interval", good: "2d", bad: "often" },
  { flag: "compactor-sweep-grace", good: "6h", bad: "5h" },
  { flag: "compactor-sweep-mode", good: "dry-run", bad: "wet-run" },
  { flag: "compactor-sweep-audit-retention", good: "2d", bad: "0s" },
  { flag: "file-cache-size", good: "50mb", bad: "50", oldFlags: ["parquet-mem-cache-size"] },
  { flag: "disable-file-cache", bad: "maybe", oldFlags: ["disable-parquet-mem-cache"] },
  {
    flag: "file-cache-recency",
    good: "3d",
    bad: "3",
    oldFlags: ["parquet-mem-cache-query-path-duration"],
  },
  { flag: "hard-delete-default-duration", good: "1d", bad: "later" },
];

const LATER: readonly Omit<Row, "state">[] = [
  { flag: "permission-tokens-file", good: "tokens.json" },
  { flag: "last-cache-eviction-interval", good: "10s", bad: "0s" },
  { flag: "distinct-cache-eviction-interval", good: "10s", bad: "0s" },
  { flag: "last-value-cache-disable-from-history", bad: "maybe" },
  { flag: "distinct-value-cache-disable-from-history", bad: "maybe" },
  { flag: "plugin-dir", good: "plugins" },
  { flag: "plugin-repo", good: "gh:influxdata" },
  { flag: "restrict-plugin-triggers-to", good: "wal,request", bad: "wal,cron" },
  { flag: "plugin-dir-only", bad: "maybe" },
  { flag: "delete-grace-period", good: "24h", bad: "long" },
];

const NEEDLESS: readonly Omit<Row, "state">[] = [
  { flag: "retention-check-interval", good: "30m", bad: "0s" },
  { flag: "gen1-lookback-duration", good: "24h", bad: "long" },
  { flag: "internode-bind-addr", good: "0.0.0.0:8183", bad: "x:y" },
  { flag: "internode-jwt-primary", good: "s" },
  { flag: "internode-jwt-secondary", good: "s" },
  { flag: "wal-replica-steady-concurrency", good: "8", bad: "0" },
  { flag: "wal-replica-queue-length", good: "100", bad: "0" },
  { flag: "wal-replica-recovery-tail-skip-limit", good: "128", bad: "-1" },
  { flag: "replica-gen0-load-concurrency", good: "16", bad: "0" },
  { flag: "compactor-dispatch-target", good: "all", bad: "none" },
];

const REFUSED: readonly Omit<Row, "state">[] = [
  { flag: "internode-tls-cert", good: "cert.pem" },
  { flag: "internode-tls-key", good: "key.pem" },
];

const APART: readonly Omit<Row, "state">[] = `
  bucket aws-access-key-id aws-secret-access-key aws-session-token aws-default-region aws-endpoint aws-allow-http
  aws-skip-signature aws-credentials-file aws-s3-custom-backend google-service-account azure-storage-account
  azure-storage-access-key azure-endpoint azure-allow-http object-store-connection-limit object-store-request-timeout
  object-store-max-retries object-store-retry-timeout
  object-store-tls-allow-insecure object-store-tls-ca without-auth disable-authz admin-token-file
  admin-token-recovery-http-bind admin-token-recovery-tcp-listener-file-path tls-cert tls-key`
  .trim()
  .split(/\s+/)
  .map((flag) => ({ flag }));

const IGNORED: readonly Omit<Row, "state">[] = `
  license-email license-file license-type disable-telemetry-upload telemetry-endpoint upgrade-pacha-tree use-pacha-tree
  without-user-auth jwt-key-id jwt-private-key jwt-issuer jwt-default-ttl-seconds oauth-issuer oauth-audience
  oauth-client-id oauth-scopes rbac-authoring-disabled object-store-http2-only object-store-http2-max-frame-size
  object-store-cache-endpoint
  traces-exporter traces-exporter-jaeger-agent-host traces-exporter-jaeger-agent-port
  traces-exporter-jaeger-service-name traces-exporter-jaeger-trace-context-header-name traces-jaeger-debug-name
  traces-jaeger-tags traces-jaeger-max-msgs-per-second
  num-io-threads datafusion-num-threads datafusion-config datafusion-max-parquet-fanout
  datafusion-use-cached-parquet-loader datafusion-runtime-type datafusion-runtime-disable-lifo-slot
  datafusion-runtime-event-interval datafusion-runtime-global-queue-interval datafusion-runtime-max-blocking-threads
  datafusion-runtime-max-io-events-per-tick datafusion-runtime-thread-keep-alive datafusion-runtime-thread-priority
  wal-flush-concurrency wal-buffer-size wal-snapshots-to-keep snapshot-duration max-concurrent-snapshots
  merge-threshold-size gen0-max-rows-per-file gen0-max-file-size engine-path-prefix max-total-columns enable-retention
  disable-hybrid-query enable-auto-dvc auto-dvc-max-cardinality auto-dvc-refresh-interval upgrade-poll-interval
  file-cache-evict-after compaction-snapshots-limit compacted-data-load-concurrency-limit
  compacted-data-skip-file-index compactor-dispatch-ack-timeout compactor-input-size-budget
  compactor-max-concurrent-merges compactor-cleanup-cooldown final-compaction-age shard-count
  l1-tail-target-size l2-tail-target-size l3-tail-target-size l4-tail-target-size l1-target-file-size
  l2-target-file-size l3-target-file-size l4-target-file-size l1-promotion-count l2-promotion-count
  l3-promotion-count preemptive-cache-age parquet-mem-cache-prune-percentage parquet-mem-cache-prune-interval
  table-index-cache-max-entries table-index-cache-concurrency-limit virtual-env-location package-manager
  disable-package-management import-attempt-server-side-copy serve-invocation-method test-mode`
  .trim()
  .split(/\s+/)
  .map((flag) => ({ flag, good: "x" }));

const ROWS: readonly Row[] = [
  ...EFFECT.map((row) => ({ ...row, state: "effect" as const })),
  ...LATER.map((row) => ({ ...row, state: "later" as const })),
  ...NEEDLESS.map((row) => ({ ...row, state: "needless" as const })),
  ...REFUSED.map((row) => ({ ...row, state: "refused" as const })),
  ...APART.map((row) => ({ ...row, state: "apart" as const })),
  ...IGNORED.map((row) => ({ ...row, state: "ignored" as const })),
  // Asks for what is so anyway, so it is a row of its own below.
  { flag: "wal-replay-fail-on-error", state: "needless", bad: "maybe" },
];

/** What the variable that --node-id-from-env names holds. */
const POD = { POD: "pod-7" };

/** Every way to say what `row` says: words of the command line, or variables. */
function spellings({ flag, good, env = envName(flag), oldFlags = [], oldEnvs = [] }: Row) {
  const words = (name: string) => (good === undefined ? [`--${name}`] : [`--${name}`, good]);
  const text = good ?? "true";
  const flags = [flag, ...oldFlags];
  const edition = env.replace("INFLUXDB3_", "INFLUXDB3_ENTERPRISE_");
  return {
    words: flags.map(words),
    variables: [env, edition, ...oldFlags.map(envName), ...oldEnvs].map((name) => ({
      [name]: text,
    })),
  };
}

function besides(row: Row): readonly string[] {
  return row.beside ?? BASE;
}

function assertUsage(row: Row, bad: string): void {
  const env = row.env ?? envName(row.flag);
  assert.throws(
    () => prepared(besides(row), { ...POD, [env]: bad }),
    (error) =>
      isUsageError(error) && (error.message.includes(env) || error.message.includes(row.flag)),
    `${env}=${bad} is refused and named`,
  );
  if (row.good === undefined) return;
  assert.throws(
    () => prepared([...besides(row), `--${row.flag}`, bad], POD),
    (error) => isUsageError(error) && error.message.includes(`--${row.flag}`),
    `--${row.flag} ${bad} is refused and named`,
  );
}

/** What a node is made of, without the words it was told. */
function madeOf({ config }: PreparedNode) {
  const { cliParams: _words, ...rest } = config;
  return rest;
}

const CHECKS: Readonly<Record<State, (row: Row) => void>> = {
  effect(row) {
    const { words, variables } = spellings(row);
    const configs = [
      ...words.map((more) => madeOf(prepared([...besides(row), ...more], POD))),
      ...variables.map((more) => madeOf(prepared(besides(row), { ...POD, ...more }))),
    ];
    for (const config of configs) assert.deepEqual(config, configs[0], "each name says the same");
    if (row.beside === undefined)
      assert.notDeepEqual(configs[0], madeOf(prepared(BASE)), "it changes the set-up");
  },
  later: (row) => assertWarned(row, "no effect yet: "),
  needless: (row) => {
    if (row.flag !== "wal-replay-fail-on-error")
      assertWarned(row, "without effect in this version: ");
  },
  ignored: (row) => assertWarned(row, "without effect in this version: "),
  refused(row) {
    for (const words of spellings(row).words)
      assert.throws(
        () => prepared([...BASE, ...words]),
        (error) => isKind(error, "unsupported") && error.message.includes(`--${row.flag}`),
      );
  },
  apart: () => undefined,
};

function assertWarned(row: Row, beginning: string): void {
  const { words, variables } = spellings(row);
  const plain = prepared(BASE);
  for (const node of [
    ...words.map((more) => prepared([...BASE, ...more])),
    ...variables.slice(0, 1).map((more) => prepared(BASE, more)),
  ]) {
    const { warnings } = node;
    assert.deepEqual(madeOf(node), madeOf(plain));
    assert.deepEqual(
      warnings.filter((warning) => warning.includes(row.flag)),
      [`${beginning}--${row.flag}`],
    );
  }
}

suite("every option of the reference", () => {
  for (const row of ROWS)
    test(`--${row.flag}: ${row.state}`, () => {
      assert.ok(SERVE_OPTIONS.some(({ name }) => name === row.flag));
      CHECKS[row.state](row);
      if (row.bad !== undefined) assertUsage(row, row.bad);
    });

  test("has one row", () => {
    const flags = ROWS.map(({ flag }) => flag);
    assert.deepEqual(flags.toSorted(), [...new Set(flags)].toSorted());
  });

  test("several in a group are one warning", () => {
    const words = [
      "--plugin-dir",
      "p",
      "--delete-grace-period",
      "1h",
      "--license-email",
      "a@b",
      "--shard-count",
      "2",
    ];
    const warnings = prepared([...BASE, "--without-auth", ...words]).warnings;
    assert.deepEqual(warnings, [
      "no effect yet: --plugin-dir, --delete-grace-period",
      "without effect in this version: --license-email, --shard-count",
    ]);
  });

  test("what is so anyway needs no warning", () => {
    const so = [
      "--without-auth",
      "--wal-replay-fail-on-error",
      "--compactor-dispatch-target",
      "local",
    ];
    assert.deepEqual(prepared([...BASE, ...so]).warnings, []);
    const { warnings } = prepared([...BASE, "--without-auth"], {
      INFLUXDB3_WAL_REPLAY_FAIL_ON_ERROR: "false",
    });
    assert.deepEqual(warnings, ["without effect in this version: --wal-replay-fail-on-error"]);
  });
});

test("every option of serve shows in --help-all", async () => {
  const { out } = await run(["serve", "--help-all"]);
  for (const { name } of SERVE_OPTIONS) assert.match(out, new RegExp(`--${name}\\b`));
});

test("no name is taken twice", () => {
  const names = SERVE_OPTIONS.flatMap(({ name, old }) => [name, ...(old?.flags ?? [])]);
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});
