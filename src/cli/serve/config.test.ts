import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { COMPACTION_DEFAULTS } from "#node/config.ts";
import { isUsageError } from "../values/usage.ts";
import type { Machine } from "./config.ts";
import { quickStart } from "./quick-start.ts";
import { BASE, MACHINE, prepared, settingsOf } from "./testing/prepared.ts";

const MIB = 2 ** 20;

function configOf(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  machine: Machine = MACHINE,
) {
  return prepared(words, env, machine).config;
}

suite("the set-up of a node", () => {
  test("has a default for everything but its names and its store", () => {
    assert.deepEqual(configOf(BASE), {
      nodeId: "host01",
      clusterId: "cluster01",
      modes: ["ingest", "query", "process", "compact"],
      store: { kind: "memory" },
      httpBind: "0.0.0.0:8181",
      withoutAuth: false,
      openActions: [],
      givenToken: undefined,
      recoveryBind: undefined,
      recoveryListenerFilePath: undefined,
      flushIntervalMs: 0,
      flushesPerSnapshot: undefined,
      snapshotSizeBytes: 64 * MIB,
      snapshotAgeMs: 600_000,
      bufferSizeMax: 100 * MIB,
      peerRowsSizeMax: 100 * MIB,
      gen1DurationMs: 600_000,
      replicationIntervalMs: 250,
      catalogSyncIntervalMs: 10_000,
      httpRequestSizeMax: 10_485_760,
      engineMemorySizeMax: 200 * MIB,
      fileCacheSizeMax: 200 * MIB,
      concurrentQueriesMax: 50,
      queryTimeoutMs: 300_000,
      databaseCountMax: 100,
      tableCountMax: 10_000,
      columnCountMax: 500,
      tagCountMax: 250,
      tls: undefined,
      cliParams: '{"node-id":"host01","cluster-id":"cluster01","object-store":"memory"}',
      listenerFilePath: undefined,
      logLevel: "info",
      logDestination: "stdout",
      logFormat: "json",
      pendingWritesMax: 100_000,
      coveredEntriesToKeep: 0,
      checkpointIntervalMs: undefined,
      ownLogReadsMax: 4,
      peerAuthorities: undefined,
      peerLogReadsMax: 4,
      ingesterWaitMsMax: 10_000,
      compactorWaitMsMax: 0,
      advertisedAddress: undefined,
      coreCount: undefined,
      queryFilesMax: undefined,
      queryLogEntriesMax: 1_000,
      fileCacheRecencyMs: undefined,
      hardDeleteDefaultMs: 7_776_000_000,
      sweep: {
        intervalMs: 604_800_000,
        graceMs: 43_200_000,
        dryRun: false,
        auditRetentionMs: 604_800_000,
      },
      compaction: {
        gen2DurationMs: 1_200_000,
        multipliers: [3, 4, 6, 5],
        filesPerPlanMax: 500,
        inputSizeMax: 1_024 * MIB,
        rowLimit: 1_000_000,
        cleanupWaitMs: 600_000,
        checkIntervalMs: 10_000,
      },
    });
  });

  test("keeps a node small on a large machine, unless it is told otherwise", () => {
    const large = { ...MACHINE, memoryBytes: 24_000 * MIB };
    const { bufferSizeMax, peerRowsSizeMax, engineMemorySizeMax } = configOf(BASE, {}, large);
    assert.deepEqual([bufferSizeMax, peerRowsSizeMax], [192 * MIB, 192 * MIB]);
    assert.equal(engineMemorySizeMax, 384 * MIB);
    const told = configOf([...BASE, "--exec-mem-pool-size", "20%"], {}, large);
    assert.equal(told.engineMemorySizeMax, 4_800 * MIB);
  });

  const options: readonly [readonly string[], object][] = [
    [["--mode", "ingest,query,compact"], { modes: ["ingest", "query", "compact"] }],
    [["--mode", "compact", "--mode", "ingest"], { modes: ["ingest", "compact"] }],
    [["--mode", "all"], { modes: ["ingest", "query", "process", "compact"] }],
    [
      ["--object-store", "file", "--data-dir", "store"],
      { store: { kind: "file", directory: "/home/ada/store" } },
    ],
    [["--http-bind", ":8282"], { httpBind: "0.0.0.0:8282" }],
    [["--without-auth"], { withoutAuth: true }],
    [["--admin-token-recovery-http-bind"], { recoveryBind: "127.0.0.1:8182" }],
    [["--admin-token-recovery-http-bind", "localhost:9"], { recoveryBind: "localhost:9" }],
    [
      ["--admin-token-recovery-tcp-listener-file-path", "at"],
      { recoveryListenerFilePath: "/home/ada/at" },
    ],
    [["--disable-authz", "health, metrics"], { openActions: ["see_health", "see_metrics"] }],
    [
      ["--disable-authz", "ping", "--disable-authz", "health"],
      { openActions: ["see_version", "see_health"] },
    ],
    [["--wal-flush-interval", "100ms"], { flushIntervalMs: 100 }],
    [["--wal-files-per-snapshot", "1"], { flushesPerSnapshot: 1 }],
    [["--wal-snapshot-size", "7"], { flushesPerSnapshot: 7 }],
    [
      ["--snapshot-size", "1kb", "--snapshot-age", "5s"],
      { snapshotSizeBytes: 1024, snapshotAgeMs: 5000 },
    ],
    [["--force-snapshot-mem-size", "100mb"], { bufferSizeMax: 100 * MIB }],
    [["--force-snapshot-mem-threshold", "70%"], { bufferSizeMax: 700 * MIB }],
    [["--replica-max-buffer-size", "5%"], { peerRowsSizeMax: 50 * MIB }],
    [["--gen1-duration", "1m"], { gen1DurationMs: 60_000 }],
    [["--wal-max-buffered-writes", "9"], { pendingWritesMax: 9 }],
    [["--snapshotted-wal-files-to-keep", "300"], { coveredEntriesToKeep: 300 }],
    [["--checkpoint-interval", "1h"], { checkpointIntervalMs: 3_600_000 }],
    [["--wait-for-running-ingester", "0s"], { ingesterWaitMsMax: 0 }],
    [["--wait-for-running-compactor", "1m"], { compactorWaitMsMax: 60_000 }],
    [["--conn-info", "http://host01:8282/"], { advertisedAddress: "host01:8282" }],
    [["--conn-info", "https://host01"], { advertisedAddress: "https://host01:8181" }],
    [["--compactor-sweep-interval", "0s"], { sweep: { intervalMs: undefined } }],
    [["--compactor-sweep-mode", "dry-run"], { sweep: { dryRun: true } }],
    [["--num-cores", "20"], { coreCount: 20, concurrentQueriesMax: 80 }],
    [["--query-file-limit", "432"], { queryFilesMax: 432 }],
    [["--query-log-max-entries", "0"], { queryLogEntriesMax: 0 }],
    [["--file-cache-recency", "3d"], { fileCacheRecencyMs: 259_200_000 }],
    [["--disable-file-cache"], { fileCacheSizeMax: 0 }],
    [["--hard-delete-default-duration", "1d"], { hardDeleteDefaultMs: 86_400_000 }],
    [["--log-format", "logfmt"], { logFormat: "logfmt" }],
    [
      ["--compaction-gen2-duration", "30m", "--compaction-multipliers", "2, 4"],
      { compaction: { ...COMPACTION_DEFAULTS, gen2DurationMs: 1_800_000, multipliers: [2, 4] } },
    ],
    [["--replication-interval", "50ms"], { replicationIntervalMs: 50 }],
    [["--catalog-sync-interval", "1s"], { catalogSyncIntervalMs: 1000 }],
    [["--max-http-request-size", "20mb"], { httpRequestSizeMax: 20 * MIB }],
    [["--exec-mem-pool-bytes", "300"], { engineMemorySizeMax: 300 * MIB }],
    [["--parquet-mem-cache-size", "50"], { fileCacheSizeMax: 50 * MIB }],
    [["--max-concurrent-queries", "3"], { concurrentQueriesMax: 3 }],
    [["--query-timeout", "1m"], { queryTimeoutMs: 60_000 }],
    [["--num-database-limit", "5"], { databaseCountMax: 5 }],
    [["--num-table-limit", "6"], { tableCountMax: 6 }],
    [["--num-total-columns-per-table-limit", "7"], { columnCountMax: 7 }],
    [["--num-tag-columns-limit", "8"], { tagCountMax: 8 }],
    [["--tcp-listener-file-path", "port"], { listenerFilePath: "/home/ada/port" }],
    [["--log-filter", "warn,http=debug"], { logLevel: "warn" }],
    [["--log-filter", "http=debug"], { logLevel: "info" }],
    [["-v"], { logLevel: "debug" }],
    [["-v", "--log-filter", "error"], { logLevel: "error" }],
    [["--log-destination", "stderr"], { logDestination: "stderr" }],
  ];
  for (const [words, expected] of options) {
    test(`takes ${words.join(" ")}`, () => {
      assert.partialDeepStrictEqual(configOf([...BASE, ...words]), expected);
    });
  }

  test("flushes less often to a cloud, unless it is told otherwise", () => {
    const cloud = ["--object-store", "google", "--bucket", "data"];
    assert.equal(configOf([...BASE, ...cloud]).flushIntervalMs, 100);
    assert.equal(configOf([...BASE, ...cloud, "--wal-flush-interval", "0s"]).flushIntervalMs, 0);
  });

  test("comes from the environment alone", () => {
    const config = configOf([], {
      INFLUXDB3_NODE_IDENTIFIER_PREFIX: "n",
      INFLUXDB3_CLUSTER_ID: "c",
      INFLUXDB3_ENTERPRISE_MODE: "query",
      INFLUXDB3_OBJECT_STORE: "file",
      INFLUXDB3_DB_DIR: "/data",
      INFLUXDB3_HTTP_BIND_ADDR: "localhost:1",
      INFLUXDB3_START_WITHOUT_AUTH: "true",
      LOG_FILTER: "error",
    });
    assert.partialDeepStrictEqual(config, {
      nodeId: "n",
      clusterId: "c",
      modes: ["query"],
      store: { kind: "file", directory: "/data" },
      httpBind: "localhost:1",
      withoutAuth: true,
      logLevel: "error",
    });
  });
});

suite("the node-id", () => {
  const rest = ["--cluster-id", "c", "--object-store", "memory"];

  test("may come from a variable of any name", () => {
    const words = ["--node-id-from-env", "POD", ...rest];
    assert.equal(configOf(words, { POD: "pod-7" }).nodeId, "pod-7");
    assert.throws(() => configOf(words), /the variable POD named by --node-id-from-env is not set/);
    assert.throws(
      () => configOf(words, { POD: "a/b" }),
      /invalid node-id 'a\/b' in the variable POD/,
    );
  });

  test("as a flag beats a variable that names a variable, and two flags contradict", () => {
    const env = { INFLUXDB3_NODE_ID_FROM_ENV: "POD", POD: "pod-7" };
    assert.equal(configOf(["--node-id", "a", ...rest], env).nodeId, "a");
    assert.throws(
      () => configOf(["--node-id", "a", "--node-id-from-env", "POD", ...rest], env),
      isUsageError,
    );
  });

  test("is not the cluster-id", () => {
    assert.throws(() => configOf([...BASE, "--cluster-id", "host01"]), {
      code: "cluster_id_is_node_id",
      message: "cluster-id cannot match any node-id in the cluster",
    });
  });
});

suite("a set-up that cannot be", () => {
  const wrong: readonly [readonly string[], RegExp][] = [
    [["--mode", "ingets"], /unknown mode 'ingets'; possible modes are all, ingest, query, process/],
    [["--mode", "ingest,"], /unknown mode ''/],
    [["--object-store", "tape"], /possible values are memory, memory-throttled, file/],
    [["--object-store", "file"], /--data-dir <FOLDER> \(or the variable INFLUXDB3_DATA_DIR\)/],
    [["--node-id", "a/b"], /invalid value 'a\/b' for '--node-id <NODE_ID>'/],
    [["--cluster-id", ".."], /invalid value '..'/],
    [["--cluster-id", ""], /invalid value ''/],
    [["--http-bind", "x:y"], /a port is a number/],
    [["--exec-mem-pool-size", "8000"], /a unit is missing/],
    [["--force-snapshot-mem-size", "8000"], /a unit is missing/],
    [["--file-cache-size", "8000"], /a unit is missing/],
    [["--gen1-duration", "7m"], /1m, 5m, 10m/],
    [["--replication-interval", "0s"], /the shortest is 1ms/],
    [["--wal-flush-interval", "fast"], /not a duration/],
    [["--wal-files-per-snapshot", "0"], /at least 1/],
    [["--compaction-gen2-duration", "15m"], /a multiple of --gen1-duration, which is 10m/],
    [["--compaction-multipliers", "9,900,900,900"], /longer than 100 years/],
    [["--num-cores", "1"], /a whole number from 2 to 1024/],
    [["--log-filter", "loud"], /error, warn, info/],
    [["--log-destination", "file"], /stdout, stderr/],
    [["--disable-authz", "health,write"], /possible values are health, ping, metrics/],
    [["--admin-token-recovery-http-bind", "x:y"], /a port is a number/],
    [["--disable-authz", ""], /possible values are health, ping, metrics/],
  ];
  for (const [words, message] of wrong) {
    test(`${words.join(" ")} is a usage error`, () => {
      assert.throws(
        () => configOf([...BASE, ...words]),
        (error) => isUsageError(error) && message.test(error.message),
      );
    });
  }

  test("names each missing option", () => {
    assert.throws(() => configOf([]), /--node-id <NODE_ID>/);
    assert.throws(() => configOf(["--node-id", "a"]), /--cluster-id <CLUSTER_ID>/);
    assert.throws(
      () => configOf(["--node-id", "a", "--cluster-id", "b"]),
      /--object-store <STORE>/,
    );
  });
});

suite("quick start", () => {
  const machine = { hostname: "My Laptop.local", directory: "/home/me/.tidelake" };

  test("makes up names from the host's and says so", () => {
    const { defaults, notices } = quickStart(settingsOf([]), machine);
    assert.deepEqual(defaults, {
      "node-id": "My-Laptop.local-node",
      "cluster-id": "My-Laptop.local-cluster",
      "object-store": "file",
      "data-dir": "/home/me/.tidelake",
    });
    assert.deepEqual(notices.slice(0, 2), [
      "Using auto-generated node id: My-Laptop.local-node. For production deployments, explicitly set --node-id",
      "Using auto-generated cluster id: My-Laptop.local-cluster. For production deployments, explicitly set --cluster-id",
    ]);
  });

  test("keeps what was given", () => {
    const words = ["--node-id", "a", "--cluster-id", "b", "--object-store", "memory"];
    assert.deepEqual(quickStart(settingsOf(words), machine), { defaults: {}, notices: [] });
  });

  for (const hostname of ["", "???", "-", "ä"]) {
    test(`takes a name of its own where the host's is "${hostname}"`, () => {
      const { defaults } = quickStart(settingsOf([]), { ...machine, hostname });
      assert.equal(defaults["node-id"], "primary-node");
    });
  }
});
