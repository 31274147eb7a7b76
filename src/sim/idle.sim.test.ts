import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import type { NodeMode } from "#node/config.ts";
import { SimCluster, type SimHost } from "./sim-cluster.ts";
import { NO_STORE_FAULTS, SimStore } from "./sim-store.ts";
import { World } from "./world.ts";

const MINUTE_MS = 60_000;
const NODE_COUNT = 5;
/** Adoption, compaction and the first look for orphans are over. */
const SETTLE_MS = 6 * MINUTE_MS;
/** As long as the longest pause between two looks. */
const HEARD_WINDOW_MS = 15 * MINUTE_MS;
const UNHEARD_WINDOW_MS = 5 * MINUTE_MS;
const HEARD_MAX = 60;
const UNHEARD_MAX = 900;
const ALL: readonly NodeMode[] = ["ingest", "query", "compact"];

/** What each of `hosts` asks in an hour of nothing, told from `windowMs`. */
async function hourly(
  { world }: SimCluster,
  hosts: readonly SimHost[],
  windowMs: number,
): Promise<readonly number[]> {
  const before = hosts.map(totalOf);
  await world.sleep(windowMs);
  const hours = windowMs / (60 * MINUTE_MS);
  return hosts.map((host, index) => (totalOf(host) - (before[index] ?? 0)) / hours);
}

function totalOf({ requests }: SimHost): number {
  return [...requests.values()].reduce((sum, count) => sum + count, 0);
}

function isInOffice({ node }: SimHost): boolean {
  return node?.compaction?.office.term !== undefined;
}

/** Nodes that do everything, have taken some rows, and have nothing left to do. */
async function settled(world: World): Promise<SimCluster> {
  const config = { catalogSyncIntervalMs: 10_000 };
  const nodes = Array.from({ length: NODE_COUNT }, (_, index) => ({
    nodeId: `host0${index + 1}`,
    modes: ALL,
    config,
  }));
  const cluster = new SimCluster(world, new SimStore(world, NO_STORE_FAULTS), nodes);
  cluster.network.lostChance = 0;
  await Promise.all(cluster.hosts.map((host) => host.start().started));
  const rest = { precision: "nanosecond", acceptPartial: true, sync: true, tokens: [] } as const;
  const write = { database: "db", body: utf8("m f=1 1"), ...rest };
  for (const { node } of cluster.hosts) await node?.write(write, new AbortController().signal);
  await world.sleep(SETTLE_MS);
  return cluster;
}

async function countRequests(world: World): Promise<void> {
  const cluster = await settled(world);
  const { hosts, network } = cluster;
  const heard = await hourly(cluster, hosts, HEARD_WINDOW_MS);
  assert.ok(Math.max(...heard) <= HEARD_MAX, `${heard.join()} requests an hour`);

  const inOffice = hosts.find((host) => isInOffice(host));
  const standby = hosts.find((host) => !isInOffice(host));
  assert.ok(inOffice !== undefined && standby !== undefined);
  network.cutPair(inOffice.nodeId, standby.nodeId, HEARD_WINDOW_MS);
  await world.sleep(MINUTE_MS);
  const unheard = await hourly(cluster, [inOffice, standby], UNHEARD_WINDOW_MS);
  assert.ok(Math.max(...unheard) <= UNHEARD_MAX, `${unheard.join()} requests an hour`);
  assert.ok(isInOffice(inOffice), "the one in office stays there");
}

test("five idle nodes ask the store seldom, also where the compactor in office and a standby do not hear each other", async () => {
  const world = new World(1);
  await world.run(countRequests(world));
});
