import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import type { Transport } from "#ports/transport.ts";
import { HandClock, settle } from "#testing/hand-clock.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";
import { Adoption } from "./adoption.ts";
import type { Duty } from "./duty.ts";
import { CompactorOffice } from "./office.ts";
import { decodeOfficeAsk, encodeOfficeCall } from "./office-call.ts";

const FOREVER = new AbortController().signal;
/** What the one in office may be away before another is. */
const TAKE_OVER_MS_MAX = 15_000;

/** Compact nodes on one store, on one clock, with a network between them. */
class Compactors implements AsyncDisposable {
  readonly clock = new HandClock();
  readonly store: ObjectStore;
  readonly warnings: string[] = [];
  /** Those that reach nobody, and whom nobody reaches. */
  readonly cut = new Set<string>();
  /** Puts and gets under the prefix of the office. */
  beatCount = 0;
  lookCount = 0;
  readonly #nodes: SmallNode[] = [];
  readonly #running = new Map<string, { office: CompactorOffice; stop: () => Promise<void> }>();

  constructor() {
    const inner = memoryStore();
    this.store = storeWith(inner, {
      put: async (key, body) => {
        if (key.includes("/office/")) this.beatCount += 1;
        return inner.put(key, body);
      },
      get: async (key) => {
        if (key.includes("/office/")) this.lookCount += 1;
        return inner.get(key);
      },
    });
  }

  async open(nodeId: string): Promise<SmallNode> {
    const { clock, store } = this;
    const node = await SmallNode.open({ store, clock, nodeId, seed: this.#nodes.length + 1 });
    this.#nodes.push(node);
    for (const { catalog } of this.#nodes) await catalog.refresh();
    return node;
  }

  /** Lets `node` stand by or work. */
  async run(
    node: SmallNode,
    duties?: Readonly<Record<string, Duty>>,
    { works = true } = {},
  ): Promise<CompactorOffice> {
    const { catalog, clock, manifest, nodeId, store } = node;
    const logs = () => [node.source, ...node.peers];
    const office = new CompactorOffice({
      clusterId: "cluster01",
      catalog,
      manifest,
      store,
      transport: this.#transportOf(nodeId),
      clock,
      log: { ...node.ports.log, warn: (message) => this.warnings.push(`${nodeId}: ${message}`) },
      duties: duties ?? { adopt: new Adoption({ catalog, manifest, logs }) },
      checkIntervalMs: 500,
    });
    const end = new AbortController();
    const sync = this.#sync(node, end.signal);
    const running = works ? office.run(end.signal) : Promise.resolve();
    const stop = async () => {
      end.abort(new DbError("unavailable", "node_stopping", "stopping"));
      this.#running.delete(nodeId);
      await Promise.all([running, sync]);
    };
    this.#running.set(nodeId, { office, stop });
    await settle();
    return office;
  }

  /** As `kill -9` does: nobody is told. */
  async kill(node: SmallNode): Promise<void> {
    await this.#running.get(node.nodeId)?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { stop } of this.#running.values()) await stop();
    assert.equal(this.clock.sleeperCount, 0, "nothing goes on");
    for (const node of this.#nodes) await node[Symbol.asyncDispose]();
  }

  /** Reads the manifest along, as nodes do. */
  async #sync({ clock, manifest }: SmallNode, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await manifest.refresh().catch(() => undefined);
      await clock.sleep(1_000, signal).catch(() => undefined);
    }
  }

  #transportOf(own: string): Transport {
    return {
      send: async (address, { body = new Uint8Array(0) }) => {
        const found = this.#running.get(address);
        if (found === undefined || this.cut.has(own) || this.cut.has(address))
          throw new DbError("unavailable", "peer_unreachable", "silence");
        const answer = found.office.answer(decodeOfficeAsk(body));
        return { status: 200, body: encodeOfficeCall(answer) };
      },
    };
  }
}

/** Two compact nodes, of which the first is in office. */
async function pair(compactors: Compactors) {
  const [one, two] = [await compactors.open("host01"), await compactors.open("host02")];
  return {
    one,
    two,
    first: await compactors.run(one),
    second: await compactors.run(two),
  };
}

suite("the compactor's office", () => {
  test("adopts what comes, until the signal", async () => {
    await using compactors = new Compactors();
    const node = await compactors.open("host01");
    await compactors.run(node);
    for (const time of [1, 2]) {
      await node.write(`m f=1 ${time}`);
      await node.snapshotter.take(FOREVER);
      await compactors.clock.advance(500);
      assert.equal([...node.manifest.state.files].length, time);
    }
  });

  test("of two that start at once one takes it, and the other stands by at no cost to the store", async () => {
    await using compactors = new Compactors();
    const { first, second, one } = await pair(compactors);
    assert.deepEqual([first.term?.epoch, second.term], [1, undefined]);
    await compactors.clock.advance(3_600_000);
    assert.deepEqual([first.term?.epoch, second.term], [1, undefined]);
    assert.equal(one.manifest.state.position, 1, "an idle hour makes no entry");
    assert.deepEqual([compactors.beatCount, compactors.lookCount], [0, 0]);
    assert.deepEqual(compactors.warnings, []);
  });

  test("is taken over within 15 s from one that dies", async () => {
    await using compactors = new Compactors();
    const { one, second } = await pair(compactors);
    await compactors.clock.advance(60_100);
    await compactors.kill(one);
    await compactors.clock.advance(TAKE_OVER_MS_MAX);
    assert.equal(second.term?.epoch, 2);
  });

  test("stays where it is while nodes cannot reach each other, for some 700 requests an hour each", async () => {
    await using compactors = new Compactors();
    const { one, first, second } = await pair(compactors);
    compactors.cut.add("host01");
    await compactors.clock.advance(3_600_000);
    assert.deepEqual([first.term?.epoch, second.term], [1, undefined]);
    assert.ok(compactors.beatCount > 600 && compactors.beatCount < 800, `${compactors.beatCount}`);
    assert.ok(compactors.lookCount > 500 && compactors.lookCount < 800, `${compactors.lookCount}`);
    await compactors.kill(one);
    await compactors.clock.advance(TAKE_OVER_MS_MAX);
    assert.equal(second.term?.epoch, 2);
  });

  test("is taken over at once from one that says that it is in none, and from one that was stopped", async () => {
    await using compactors = new Compactors();
    const [one, two] = [await compactors.open("host01"), await compactors.open("host02")];
    await compactors.run(one, {}, { works: false });
    await one.manifest.takeOver();
    await two.manifest.refresh();
    const second = await compactors.run(two);
    await compactors.clock.advance(2_000);
    assert.equal(second.term?.epoch, 2);
    await compactors.kill(two);
    await compactors.kill(one);
    await two.catalog.setNodeState("stopped", 1n);
    await one.catalog.refresh();
    const first = await compactors.run(one);
    await compactors.clock.advance(2_000);
    assert.equal(first.term?.epoch, 3);
  });

  test("one that was replaced without knowing it publishes nothing, stands by, and comes back in its turn", async () => {
    await using compactors = new Compactors();
    const { one, two, first, second } = await pair(compactors);
    await one.write("m f=1 1");
    await one.snapshotter.take(FOREVER);
    // Before the loop of the first looks again.
    await two.manifest.takeOver();
    await compactors.clock.advance(1_000);
    assert.equal(one.manifest.state.position, 2, "its plan came to nothing");
    assert.equal(first.term, undefined);
    assert.deepEqual(compactors.warnings, ["host01: another node has taken over compaction"]);
    // The process of the second did not ask for that term, so it takes the next one.
    await compactors.clock.advance(TAKE_OVER_MS_MAX);
    const terms = [first, second].flatMap(({ term }) => term?.epoch ?? []);
    assert.deepEqual(terms, [3]);
  });

  test("a duty that takes long keeps no other from its work, and ends with the term", async () => {
    await using compactors = new Compactors();
    const node = await compactors.open("host01");
    let stepCount = 0;
    let ended = false;
    await compactors.run(node, {
      long: {
        step: (_, signal) =>
          new Promise((resolve) => {
            signal.addEventListener("abort", () => {
              ended = true;
              resolve(false);
            });
          }),
      },
      short: {
        step: async () => {
          stepCount += 1;
          return false;
        },
      },
    });
    await compactors.clock.advance(5_000);
    assert.ok(stepCount >= 10);
    await node.manifest.takeOver();
    await settle();
    assert.ok(ended);
  });

  test("a duty that fails is tried again, and the others go on", async () => {
    await using compactors = new Compactors();
    const node = await compactors.open("host01");
    const damaged = new DbError("corrupt", "object_damaged", "torn");
    const office = await compactors.run(node, { bad: { step: () => Promise.reject(damaged) } });
    await compactors.clock.advance(20_000);
    assert.ok(compactors.warnings.length >= 3);
    assert.equal(office.answer({ node: node.node }).term, 1);
  });

  test("one that its store does not answer says that it is in none, until it does", async () => {
    await using compactors = new Compactors();
    const node = await compactors.open("host01");
    let broken = true;
    const office = await compactors.run(node, {
      work: {
        step: async () => {
          if (broken) throw new DbError("unavailable", "store_unreachable", "silence");
          return false;
        },
      },
    });
    assert.equal(office.answer({ node: node.node }).term, 1);
    await compactors.clock.advance(11_000);
    assert.equal(office.answer({ node: node.node }).term, 0);
    broken = false;
    await compactors.clock.advance(1_000);
    assert.equal(office.answer({ node: node.node }).term, 1);
  });
});

suite("questions of who stands by", () => {
  test("anything else is refused", () => {
    for (const text of ["", "m f=1", "{}", '{"node":-1}', '{"node":"1"}'])
      assert.throws(() => decodeOfficeAsk(new TextEncoder().encode(text)), {
        kind: "invalid",
        code: "office_ask_malformed",
      });
  });
});
