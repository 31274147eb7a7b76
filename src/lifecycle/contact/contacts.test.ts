import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { Catalog } from "#catalog/catalog.ts";
import { Manifest } from "#manifest/manifest.ts";
import type { NodeNumber } from "#model/ids.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { seededRandom } from "#ports/random.ts";
import type { Transport, TransportAnswer } from "#ports/transport.ts";
import { HandClock, settle } from "#testing/hand-clock.ts";
import { neverAborted, storeWith } from "#testing/logs.ts";
import { Contacts } from "./contacts.ts";
import { decodeStandingAsk, encodeStanding, STANDING_PATH, type Standing } from "./standing.ts";

const MINUTE_MS = 60_000;
const LIMITS = { databaseCountMax: 100 };

/** A network whose ways can be cut, between nodes whose addresses are their node-ids. */
class Network {
  readonly contacts = new Map<string, Contacts>();
  /** `from to`, in either order, or an address. */
  readonly cut = new Set<string>();
  /** What is answered instead, by address. */
  readonly forged = new Map<string, TransportAnswer>();
  /** How long a question, and its answer, are on their way. */
  onWay: () => Promise<void> = async () => undefined;

  of(own: string): Transport {
    return {
      send: async (address, { method, path, body }) => {
        assert.equal(`${method} ${path}`, `POST ${STANDING_PATH}`);
        await this.onWay();
        const contacts = this.contacts.get(address);
        const places = [own, address, `${own} ${address}`, `${address} ${own}`];
        if (contacts === undefined || places.some((place) => this.cut.has(place)))
          throw new DbError("unavailable", "peer_unreachable", "no answer");
        const asked = decodeStandingAsk(body ?? utf8(""));
        const answer = encodeStanding(contacts.answer(asked));
        await this.onWay();
        return this.forged.get(address) ?? { status: 200, body: answer };
      },
    };
  }
}

/** A cluster of contacts on one store that counts, and one clock. */
class Members implements AsyncDisposable {
  readonly clock = new HandClock();
  readonly network = new Network();
  /** How long an answer of the store that an object is not there is on its way. */
  answering: (() => Promise<void>) | undefined;
  readonly #inner = memoryStore();
  readonly #end = new AbortController();
  readonly #running: Promise<void>[] = [];
  #seed = 0;

  async join(nodeId: string, { runs = true } = {}) {
    const counts = { catalog: 0, manifest: 0 };
    const catalog = await this.#register(nodeId, counts);
    const ports = { clock: this.clock, random: seededRandom(++this.#seed), log: silentLog };
    const manifest = new Manifest(
      "cluster01",
      { ...ports, store: this.#counting(counts) },
      {
        writer: () => catalog.writer,
        signal: this.#end.signal,
      },
    );
    await manifest.refresh();
    const member = { catalog, counts, manifest, tail: 1, heard: new Map<NodeNumber, number>() };
    const contacts = new Contacts({
      ...ports,
      catalog,
      manifest,
      transport: this.network.of(nodeId),
      catalogSyncIntervalMs: 10_000,
      ownTail: () => member.tail,
      onTail: ({ node, position }) => member.heard.set(node, position),
      onHeard: () => undefined,
    });
    this.network.contacts.set(nodeId, contacts);
    const { signal } = this.#end;
    if (runs)
      this.#running.push(
        contacts.run(signal),
        contacts.followCatalog(signal),
        contacts.followManifest(signal),
      );
    return Object.assign(member, { contacts, node: catalog.writer.node });
  }

  async #register(nodeId: string, counts: { catalog: number; manifest: number }) {
    const ports = { clock: this.clock, random: seededRandom(++this.#seed), log: silentLog };
    const store = this.#counting(counts);
    const catalog = new Catalog("cluster01", { ...ports, store }, neverAborted());
    await catalog.refresh();
    await catalog.createCluster({ uuid: "uuid", secret: "secret" });
    const rest = { instanceId: nodeId, address: nodeId, coreCount: 1, hasLog: true };
    await catalog.register({ nodeId, modes: ["ingest", "query"], ...rest }, () => 1n);
    return catalog;
  }

  /** The store, which counts how often each shared log is read. */
  #counting(counts: { catalog: number; manifest: number }): ObjectStore {
    return storeWith(this.#inner, {
      get: async (key) => {
        if (key.startsWith("cluster01/catalog/entry/")) counts.catalog += 1;
        if (key.startsWith("cluster01/manifest/entry/")) counts.manifest += 1;
        const answering = this.answering?.();
        const answer = await this.#inner.get(key);
        if (answer === undefined) await answering;
        return answer;
      },
    });
  }

  async [Symbol.asyncDispose]() {
    this.#end.abort();
    await Promise.all(this.#running);
    // What was on its way.
    await this.clock.advance(1_000);
    assert.equal(this.clock.sleeperCount, 0, "no timer outlives them");
  }
}

/** What node `node` answers. */
function standing(node: number): Standing {
  return {
    node: node as NodeNumber,
    catalog: { position: 1, ageMs: 0 },
    manifest: { position: 0, ageMs: 0 },
    words: [{ node: 3 as NodeNumber, epoch: 1, tail: 1, ageMs: 0 }],
  };
}

/** Three nodes that have heard of each other. */
async function three() {
  const members = new Members();
  const [one, two, third] = [
    await members.join("host01"),
    await members.join("host02"),
    await members.join("host03"),
  ];
  await members.clock.advance(12_000);
  for (const { counts } of [one, two, third]) Object.assign(counts, { catalog: 0, manifest: 0 });
  return { members, one, two, third, all: [one, two, third] };
}

suite("nodes that hear each other", () => {
  test("look at the shared logs together, and seldom", async () => {
    const { members, all } = await three();
    await using _ = members;
    await members.clock.advance(10 * MINUTE_MS);
    for (const { contacts } of all) assert.equal(contacts.silentCount, 0);
    const catalog = all.reduce((sum, { counts }) => sum + counts.catalog, 0);
    const manifest = all.reduce((sum, { counts }) => sum + counts.manifest, 0);
    assert.ok(catalog >= 7 && catalog <= 18, `${catalog} looks at the catalog`);
    for (const { counts } of all) assert.ok(counts.catalog >= 1, "each takes its turns");
    assert.ok(manifest <= 3, `${manifest} looks at the manifest`);
  });

  test("read at once what one of them has written", async () => {
    const { members, one, two, third } = await three();
    await using _ = members;
    await one.catalog.createDatabase("a", undefined, LIMITS);
    const term = await two.manifest.takeOver();
    await members.clock.advance(1_100);
    for (const { catalog, manifest } of [one, two, third]) {
      assert.equal(catalog.state.position, one.catalog.state.position);
      assert.deepEqual(manifest.state.office, term);
    }
  });

  test("know where each other's logs end", async () => {
    const { members, one, two } = await three();
    await using _ = members;
    one.tail = 7;
    await members.clock.advance(1_100);
    assert.deepEqual(two.contacts.endOf(one.node), { told: 7, stoppedIn: undefined });
    assert.equal(two.heard.get(one.node), 7);
  });

  test("look at once for what they hear of while a look is on its way", async () => {
    const { members, one } = await three();
    await using _ = members;
    const late = await members.join("host04", { runs: false });
    const say = () =>
      one.contacts.answer({ node: late.node, catalog: late.catalog.state.position });
    const slow = Promise.withResolvers<void>();
    members.answering = () => slow.promise;
    say();
    await settle();
    members.answering = undefined;
    await late.catalog.createDatabase("meanwhile", undefined, LIMITS);
    say();
    await settle();
    const before = one.catalog.state.position;
    slow.resolve();
    await settle();
    assert.ok(before < late.catalog.state.position, "the store was slow");
    assert.equal(one.catalog.state.position, late.catalog.state.position);
  });

  test("find a node that none of them hears", async () => {
    const { members, one, two } = await three();
    await using _ = members;
    members.network.cut.add("host04");
    const late = await members.join("host04");
    await members.clock.advance(10_000);
    assert.equal(one.catalog.state.nodes.has(late.node), false, "nobody has told them");
    await members.clock.advance(80_000);
    for (const { catalog, contacts } of [one, two]) {
      assert.equal(catalog.state.nodes.has(late.node), true);
      assert.equal(contacts.silentCount, 1);
    }
  });

  test("hear of a node that can ask them, although they cannot ask it", async () => {
    const { members, one } = await three();
    await using _ = members;
    const late = await members.join("host04", { runs: false });
    one.contacts.answer({ node: late.node, catalog: late.catalog.state.position });
    await settle();
    assert.equal(one.catalog.state.nodes.has(late.node), true);
  });
});

suite("a node that is silent", () => {
  test("makes the others look as often as those who hear nobody", async () => {
    const { members, one, two, third } = await three();
    await using _ = members;
    members.network.cut.add("host03");
    await members.clock.advance(4_000);
    for (const { contacts } of [one, two]) assert.equal(contacts.silentCount, 1);
    assert.equal(third.contacts.silentCount, 2);
    assert.deepEqual(one.contacts.endOf(third.node), { told: undefined, stoppedIn: undefined });
    third.counts.catalog = 0;
    third.counts.manifest = 0;
    await members.clock.advance(MINUTE_MS);
    assert.ok(third.counts.catalog >= 5 && third.counts.manifest >= 55, "a look each interval");
    assert.ok(one.counts.manifest + two.counts.manifest >= 55);
    members.network.cut.clear();
    await members.clock.advance(2_000);
    for (const { contacts } of [one, two, third]) assert.equal(contacts.silentCount, 0);
  });

  test("to one is heard through another, with the age of the word", async () => {
    const { members, one, two, third } = await three();
    await using _ = members;
    members.network.cut.add("host01 host03");
    third.tail = 9;
    await members.clock.advance(10_000);
    assert.equal(one.contacts.silentCount, 0);
    assert.equal(one.contacts.endOf(third.node).told, 9);
    members.network.cut.add("host02 host03");
    third.tail = 10;
    await members.clock.advance(4_100);
    for (const { contacts } of [one, two]) {
      assert.equal(contacts.silentCount, 1, "an old word that goes to and fro does not get newer");
      assert.equal(contacts.endOf(third.node).told, undefined);
    }
  });

  test("for a moment is no reason", async () => {
    const { members, one } = await three();
    await using _ = members;
    members.network.cut.add("host03");
    await members.clock.advance(1_500);
    assert.equal(one.contacts.silentCount, 0);
  });
});

suite("a word", () => {
  test("of a process that was replaced does not count", async () => {
    const { members, one, third } = await three();
    await using _ = members;
    // The newer process of host03 is not heard; the older one answers at its address.
    members.network.cut.add("newer");
    const older = members.network.contacts.get("host03");
    await members.join("host03", { runs: false });
    if (older !== undefined) members.network.contacts.set("host03", older);
    await one.catalog.refresh();
    await members.clock.advance(2_000);
    assert.equal(one.contacts.silentCount, 1);
    assert.equal(one.contacts.endOf(third.node).told, undefined);
  });

  test("of a node that has stopped is not needed", async () => {
    const { members, one, two, third } = await three();
    await using _ = members;
    await third.catalog.setNodeState("stopped", 2n);
    members.network.cut.add("host03");
    await members.clock.advance(5_000);
    assert.equal(one.contacts.silentCount, 0);
    const { epoch } = third.catalog.writer;
    assert.deepEqual(two.contacts.endOf(third.node), { told: undefined, stoppedIn: epoch });
  });

  const others: readonly (readonly [string, TransportAnswer])[] = [
    ["of another node", { status: 200, body: encodeStanding(standing(2)) }],
    ["that is a refusal", { status: 401, body: encodeStanding(standing(3)) }],
    ["of another program", { status: 200, body: utf8("<html>") }],
    ["with a time that is none", { status: 200, body: utf8('{"node":3,"words":[],"ageMs":null}') }],
  ];
  for (const [name, answer] of others)
    test(`${name} at its address is silence`, async () => {
      const { members, one } = await three();
      await using _ = members;
      members.network.cut.add("host02 host03");
      members.network.forged.set("host03", answer);
      await members.clock.advance(4_000);
      assert.equal(one.contacts.silentCount, 1);
    });

  test("that is not true costs one look each time it is said", async () => {
    const { members, one } = await three();
    await using _ = members;
    const before = one.counts.catalog;
    for (let count = 1; count <= 3; count++) {
      one.contacts.answer({ node: 2 as NodeNumber, catalog: Number.MAX_SAFE_INTEGER });
      await settle();
      assert.equal(one.counts.catalog - before, count);
    }
    await members.clock.advance(5_000);
    assert.equal(one.counts.catalog - before, 3);
  });
});

/** How far a log went at which time. */
class History {
  readonly #steps: { readonly atMs: number; readonly position: number }[] = [];

  note(atMs: number, position: number): void {
    this.#steps.push({ atMs, position });
  }

  at(timeMs: number): number {
    return this.#steps.findLast(({ atMs }) => atMs <= timeMs)?.position ?? 0;
  }
}

test("nothing is believed to be newer than it is, whatever way it came and however long that took", async () => {
  const member = fc.nat(2);
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("grow" as const), member }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("write" as const), member }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("cut" as const), member, other: member }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("heal" as const) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(2_500) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(400), async (steps, delayMs) => {
      const { members, all } = await three();
      await using _ = members;
      const { clock, network } = members;
      network.onWay = () => clock.sleep(delayMs);
      const tails = new Map(all.map(({ node }) => [node, new History()]));
      const catalogs = new History();
      const noteAll = () => {
        for (const { node, tail } of all) tails.get(node)?.note(clock.monotonicMs(), tail);
        const newest = Math.max(...all.map(({ catalog }) => catalog.state.position));
        catalogs.note(clock.monotonicMs(), newest);
      };
      noteAll();
      for (const [count, one] of steps.entries()) {
        const actor = "member" in one ? all[one.member] : undefined;
        if (one.kind === "grow" && actor !== undefined) actor.tail += 1;
        if (one.kind === "write")
          await actor?.catalog.createDatabase(`d${count}`, undefined, LIMITS);
        if (one.kind === "cut") network.cut.add(`host0${one.member + 1} host0${one.other + 1}`);
        if (one.kind === "heal") network.cut.clear();
        noteAll();
        if (one.kind === "wait") await clock.advance(one.ms);
        const nowMs = clock.monotonicMs();
        for (const { contacts } of all) {
          for (const { node } of all) {
            const { told } = contacts.endOf(node);
            if (told !== undefined) assert.ok(told >= (tails.get(node)?.at(nowMs - 3_000) ?? 0));
          }
          const { catalog } = contacts.answer({ node: 1 as NodeNumber, catalog: 0 });
          assert.ok(catalog.position >= catalogs.at(nowMs - catalog.ageMs - 1e-6));
        }
      }
    }),
    { numRuns: 30 },
  );
});
