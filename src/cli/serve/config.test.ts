import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Command } from "commander";
import { COMPACTION_DEFAULTS } from "#node/config.ts";
import { addOptions, Settings } from "../options.ts";
import { isUsageError } from "../values/usage.ts";
import { type Machine, nodeConfig } from "./config.ts";
import { SERVE_OPTIONS } from "./options.ts";
import { quickStart } from "./quick-start.ts";

const MIB = 2 ** 20;
const MACHINE = {
  nowMs: 1_800_000_000_000,
  memoryBytes: 1000 * MIB,
  coreCount: 2,
  workingDirectory: "/home/ada",
};
const BASE = ["--node-id", "host01", "--cluster-id", "cluster01", "--object-store", "memory"];

type Env = Readonly<Record<string, string>>;

function settingsOf(words: readonly string[], env: Env = {}): Settings {
  const command = new Command("serve")
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  addOptions(command, SERVE_OPTIONS, false);
  command.parse(words, { from: "user" });
  return new Settings(SERVE_OPTIONS, command.opts(), env);
}

function configOf(words: readonly string[], env: Env = {}, machine: Machine = MACHINE) {
  return nodeConfig(settingsOf(words, env), env, machine);
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
      cliParams: '{"node-id":"host01","cluster-id":"cluster01","object-store":"memory"}',
      compaction: COMPACTION_DEFAULTS,
      listenerFilePath: undefined,
      logLevel: "info",
      logDestination: "stdout",
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
