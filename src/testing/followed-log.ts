/** One node that follows the log of another, on a store that counts what it is asked. */
import assert from "node:assert/strict";
import type { DbError } from "#base/errors.ts";
import type { LogFollowerOptions } from "#lifecycle/log-follower.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { settle } from "./hand-clock.ts";
import { storeWith } from "./logs.ts";
import { SmallNode } from "./small-node.ts";

const ENTRIES = "host01/log/entry/";
const CHECKPOINTS = "host01/log/checkpoint/";

/** A store that counts how often the checkpoints of host01 are listed, and that can be broken. */
class CountingStore {
  readonly inner = memoryStore();
  listCount = 0;
  /** Entries of host01 that were asked for. */
  readonly asked: number[] = [];
  failure: DbError | undefined;
  /** When answers about entries of host01 arrive; at once unless set. */
  answered: Promise<void> | undefined;
  readonly store: ObjectStore = storeWith(this.inner, {
    list: (prefix, options) => {
      if (prefix === CHECKPOINTS) this.listCount += 1;
      return this.inner.list(prefix, options);
    },
    get: async (key) => {
      if (key.startsWith(ENTRIES)) this.asked.push(Number(key.slice(ENTRIES.length)));
      if (this.failure !== undefined && key.startsWith("host01/log/")) throw this.failure;
      const body = await this.inner.get(key);
      if (key.startsWith(ENTRIES)) await this.answered;
      return body;
    },
  });

  /** How often they are listed by `work`. */
  async during(work: () => Promise<unknown>): Promise<number> {
    const before = this.listCount;
    await work();
    return this.listCount - before;
  }
}

/** A log that a node writes, and one that follows it. */
export async function followed(some: Partial<LogFollowerOptions> = {}) {
  const counting = new CountingStore();
  const writer = await SmallNode.open({ store: counting.store });
  const reader = await SmallNode.open({ store: counting.store, nodeId: "host02", seed: 2 });
  const follower = reader.follow(writer, some);
  return {
    counting,
    writer,
    reader,
    follower,
    async [Symbol.asyncDispose]() {
      await reader[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
    },
  };
}

/** A reader that looks every 250 ms, and has just looked. */
export async function followedAlong(some: Partial<LogFollowerOptions> = {}) {
  const world = await followed(some);
  await world.follower.load();
  const end = new AbortController();
  const run = world.follower.run(end.signal);
  await settle();
  world.counting.asked.length = 0;
  return {
    ...world,
    async [Symbol.asyncDispose]() {
      end.abort();
      await run;
      assert.equal(world.reader.clock.sleeperCount, 0, "no timer outlives it");
      await world[Symbol.asyncDispose]();
    },
  };
}
