import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Catalog } from "#catalog/catalog.ts";
import { dropTable, dropTables } from "#catalog/tables.ts";
import { parseWriteToken } from "#model/write-token.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { HandClock, settle } from "#testing/hand-clock.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";
import { BATCH_ROW_COUNT_MAX } from "./rows.ts";
import type { WriteOutcome } from "./write.ts";

const CONFLICT =
  "invalid column type for column 'f', expected iox::column_type::field::float, got iox::column_type::field::integer";

function rejected(outcome: WriteOutcome): readonly string[] {
  return outcome.rejected.map(({ lineNumber, message }) => `${lineNumber}: ${message}`);
}

/** A memory store in which nothing can be put below `prefix` until it is let go. */
function heldStore(prefix: string) {
  const inner = memoryStore();
  const gate = Promise.withResolvers<void>();
  let held = false;
  const store = storeWith(inner, {
    async putIfAbsent(key, body) {
      if (held && key.startsWith(prefix)) await gate.promise;
      await inner.putIfAbsent(key, body);
    },
  });
  return {
    store,
    hold: () => {
      held = true;
    },
    letGo: () => {
      held = false;
      gate.resolve();
    },
  };
}

suite("a write", () => {
  test("is durable and can be queried when it is answered", async () => {
    await using node = await SmallNode.open();
    const outcome = await node.write("m,t=a f=1 10\n# nothing\n\nm,t=b f=2 20");
    assert.deepEqual(
      { ...outcome, token: "" },
      { token: "", rejected: [], rejectedCount: 0, limitMet: false },
    );
    assert.deepEqual(await node.rows("SELECT t, f FROM m ORDER BY time"), [
      { t: "a", f: 1 },
      { t: "b", f: 2 },
    ]);
    await using again = await SmallNode.open({ store: node.store, seed: 2 });
    assert.equal((await again.rows("SELECT f FROM m")).length, 2);
  });

  test("lines without a time share one, so one series makes one row", async () => {
    await using node = await SmallNode.open();
    await node.write("m,t=a f=1\nm,t=a g=2\nm,t=b f=3");
    const rows = await node.rows("SELECT * FROM m ORDER BY t");
    const time = node.clock.nowNs();
    assert.deepEqual(rows, [
      { t: "a", f: 1, g: 2, time },
      { t: "b", f: 3, g: null, time },
    ]);
  });

  test("with nothing in it is refused", async () => {
    await using node = await SmallNode.open();
    for (const text of ["", "\n\n", "# only words"])
      await assert.rejects(node.write(text), {
        kind: "invalid",
        code: "write_empty",
        message: "incoming write was empty",
      });
    assert.equal(node.flusher.pendingSizeBytes, 0);
  });

  test("stores its good lines beside bad ones, and names these, whatever is wrong with them", async () => {
    await using node = await SmallNode.open();
    const outcome = await node.write("m f=1 1\nnonsense\nm f=2i,new=1 2\nm f=3 3");
    assert.deepEqual(rejected(outcome), [
      "2: Expected at least one space character, got end of input",
      `3: ${CONFLICT}`,
    ]);
    assert.equal(outcome.rejectedCount, 2);
    assert.ok(outcome.token);
    assert.deepEqual(await node.rows("SELECT * FROM m ORDER BY time"), [
      { f: 1, time: 1n },
      { f: 3, time: 3n },
    ]);
  });

  test("stores nothing beside a bad line where that is asked, and the catalog learns nothing", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    const { position } = node.catalog.state;
    for (const bad of ["nonsense", "m f=1i 2", "m time=1"]) {
      const outcome = await node.write(`m f=1 5\nother g=1 5\n${bad}`, { acceptPartial: false });
      assert.equal(outcome.token, undefined);
      assert.equal(outcome.rejectedCount, 1);
    }
    assert.equal(node.catalog.state.position, position);
    assert.equal((await node.rows("SELECT * FROM m")).length, 1);
    await assert.rejects(node.rows("SELECT * FROM other"), { code: "table_not_found" });
  });

  test("of bad lines alone has no token, and makes no database", async () => {
    await using node = await SmallNode.open();
    const outcome = await node.write("m time=1");
    assert.equal(outcome.token, undefined);
    assert.deepEqual(rejected(outcome), ["1: 'time' is a reserved column"]);
    assert.equal(node.catalog.state.databases.size, 0);
  });

  test("a limit that was met is told apart", async () => {
    await using node = await SmallNode.open();
    const fields = Array.from({ length: 10 }, (_, index) => `f${index}=1`).join(",");
    const outcome = await node.write(`m ${fields} 1\nm f1=1 2`);
    assert.equal(outcome.limitMet, true);
    assert.equal(outcome.rejectedCount, 1);
    const all = Array.from({ length: 6 }, (_, index) => `db${index}`);
    for (const database of all.slice(0, 4)) await node.write("m f=1", { database });
    await assert.rejects(node.write("m f=1", { database: "db5" }), {
      kind: "exceeded",
      code: "database_limit",
      message: "Adding a new database would exceed limit of 5 databases",
    });
  });

  test("describes the first hundred rejected lines, in their order, and counts the others", async () => {
    await using node = await SmallNode.open();
    const lines = Array.from({ length: 260 }, (_, index) => {
      if (index === 0) return "m f=1 1";
      return index % 2 === 0 ? "m f=1i 2" : "nonsense";
    });
    const outcome = await node.write(lines.join("\n"));
    assert.equal(outcome.rejectedCount, 259);
    assert.deepEqual(
      outcome.rejected.map(({ lineNumber }) => lineNumber),
      Array.from({ length: 100 }, (_, index) => index + 2),
    );
  });

  test("of more rows than a flush takes is stored whole, and its token is of the last", async () => {
    await using node = await SmallNode.open();
    const before = node.writer.state.position;
    const count = BATCH_ROW_COUNT_MAX + 3;
    const text = Array.from({ length: count }, (_, row) => `m f=1 ${row}`).join("\n");
    const outcome = await node.write(`${text}\nn f=1 1`);
    const { position } = parseWriteToken(outcome.token ?? "");
    assert.equal(position, node.writer.state.position);
    assert.equal(position, before + 2);
    assert.equal(node.buffer.rowCount, count + 1);
    assert.equal(node.flusher.pendingSizeBytes, 0);
  });
});

suite("the order of writes", () => {
  test("a later write wins per field, also within one flush", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1,g=1 5");
    await Promise.all([node.write("m f=2 5"), node.write("m g=3 5"), node.write("m f=4 5")]);
    assert.deepEqual(await node.rows("SELECT f, g FROM m"), [{ f: 4, g: 3 }]);
  });

  test("a write is above the tokens that it brings, though its node's clock is behind", async () => {
    const store = memoryStore();
    const ahead = new HandClock();
    await ahead.advance(60_000);
    await using first = await SmallNode.open({ store, clock: ahead });
    await using second = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    const { token = "" } = await first.write("m f=1 5");
    const plain = parseWriteToken((await second.write("m f=2 5")).token ?? "");
    assert.ok(
      plain.stamp < parseWriteToken(token).stamp,
      "the clocks alone order them the other way",
    );
    const after = parseWriteToken((await second.write("m f=2 5", { tokens: [token] })).token ?? "");
    assert.ok(after.stamp > parseWriteToken(token).stamp);
  });

  test("a token that is none, or of a time that is not near, is refused and stores nothing", async () => {
    await using node = await SmallNode.open();
    const { token = "" } = await node.write("m f=1 5");
    const far = token.replace(/[^.]*$/, "zzzzzzzzzzzz");
    for (const made of ["", "nonsense", far])
      await assert.rejects(node.write("m f=2 5", { tokens: [token, made] }), {
        kind: "invalid",
        code: "write_token",
      });
    assert.deepEqual(await node.rows("SELECT f FROM m"), [{ f: 1 }]);
  });
});

suite("writes on two nodes at once", () => {
  test("that make one table with different types: one wins, the other's lines are named", async () => {
    const store = memoryStore();
    await using first = await SmallNode.open({ store });
    await using second = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    const outcomes = await Promise.all([first.write("m f=1 1"), second.write("m f=1i 1")]);
    const counts = outcomes.map(({ rejectedCount }) => rejectedCount);
    assert.deepEqual(
      counts.toSorted((a, b) => a - b),
      [0, 1],
    );
    const loser = outcomes.find(({ rejectedCount }) => rejectedCount === 1);
    assert.match(
      loser?.rejected[0]?.message ?? "",
      /^invalid column type for column 'f', expected/,
    );
    await Promise.all([first.catalog.refresh(), second.catalog.refresh()]);
    assert.deepEqual(first.catalog.state.databases, second.catalog.state.databases);
  });

  test("a write that is refused on the newest catalog alone teaches it nothing", async () => {
    const store = memoryStore();
    await using first = await SmallNode.open({ store });
    await using second = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    await first.write("m f=1 1");
    const outcome = await second.write("m f=1i 1\nother g=1 1", { acceptPartial: false });
    assert.deepEqual(rejected(outcome), [`1: ${CONFLICT}`]);
    assert.equal((await first.catalog.refresh()).tableCount, 1);
  });

  test("that add columns to one table both get theirs", async () => {
    const store = memoryStore();
    await using first = await SmallNode.open({ store });
    await using second = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    await Promise.all([first.write("m f=1,a=1 1"), second.write("m f=1,b=1i 2")]);
    await Promise.all([first.write("m b=2i 3"), second.write("m a=2 4")]);
    assert.deepEqual(await first.rows("SELECT f, a, b FROM m ORDER BY time"), [
      { f: 1, a: 1, b: null },
      { f: null, a: null, b: 2n },
    ]);
  });

  test("a database that another node has dropped makes room at once", async () => {
    const store = memoryStore();
    await using first = await SmallNode.open({ store });
    await using second = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    for (const database of ["a", "b", "c", "d", "e"]) await first.write("m f=1", { database });
    await second.catalog.dropDatabase("a", { nowNs: 1n, hardDeleteAtNs: undefined });
    await first.write("m f=1", { database: "f" });
  });

  const times = { nowNs: 1n, hardDeleteAtNs: undefined };
  const drops = {
    database: (catalog: Catalog) => catalog.dropDatabase("db", times),
    table: (catalog: Catalog) =>
      catalog.change((state) => dropTable(state, { database: "db", table: "m" }, "table", times)),
    rows: (catalog: Catalog) => catalog.change((state) => dropTables(state, "db", "rows", times)),
  };
  const ways = Object.entries(drops).flatMap(([what, drop]) =>
    [true, false].map((sync) => ({ what, drop, sync })),
  );
  for (const { drop, sync, what } of ways) {
    test(`rows for a table whose ${what} was dropped elsewhere go into a new one (sync ${sync})`, async () => {
      const store = memoryStore();
      await using first = await SmallNode.open({ store });
      await using second = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
      await first.write("m,t=a f=1,g=1 1");
      await drop(second.catalog);
      // The first node has not heard of it.
      const outcome = await first.write("m,t=b f=2 2", { sync });
      if (!sync) await settle();
      // An empty table that is like the one before has its columns.
      const rest = what === "rows" ? { g: null } : {};
      assert.deepEqual(await first.rows("SELECT * FROM m"), [{ t: "b", f: 2, ...rest, time: 2n }]);
      assert.equal(outcome.token !== undefined, sync);
      if (outcome.token !== undefined)
        assert.equal(parseWriteToken(outcome.token).position, first.writer.state.position);
      assert.equal(first.flusher.pendingSizeBytes, 0);
    });
  }
});

suite("a store that does not answer", () => {
  test("a write is answered in time that it is not confirmed, lands later, and gives its place back", async () => {
    const held = heldStore("host01/log/entry/");
    await using node = await SmallNode.open({ store: held.store });
    await node.write("m f=1 1");
    held.hold();
    const writing = assert.rejects(node.write("m f=2 2"), {
      kind: "unavailable",
      code: "write_unconfirmed",
    });
    await node.clock.advance(29_999);
    assert.ok(node.flusher.pendingSizeBytes > 0);
    await node.clock.advance(1);
    await writing;
    assert.ok(node.flusher.pendingSizeBytes > 0, "what is on its way still takes its place");
    held.letGo();
    await settle();
    assert.equal(node.flusher.pendingSizeBytes, 0);
    assert.equal(node.clock.sleeperCount, 0);
    assert.equal((await node.rows("SELECT * FROM m")).length, 2);
  });

  test("a write that waits for the catalog is answered in time as well, and such writes are bounded", async () => {
    const held = heldStore("cluster01/catalog/entry/");
    await using node = await SmallNode.open({ store: held.store, flusher: { pendingSizeMax: 10 } });
    held.hold();
    const writing = assert.rejects(node.write("measurement f=2 2"), { code: "write_unconfirmed" });
    await settle();
    await assert.rejects(node.write("m f=1 1"), { kind: "exceeded", code: "write_queue_full" });
    await node.clock.advance(30_000);
    await writing;
    await assert.rejects(node.write("m f=1 1"), { code: "write_queue_full" });
    held.letGo();
    await settle();
    assert.equal(node.flusher.pendingSizeBytes, 0);
    assert.equal((await node.rows("SELECT * FROM measurement")).length, 1);
  });

  test("who leaves is not waited for, and leaves nothing behind", async () => {
    const held = heldStore("host01/log/entry/");
    await using node = await SmallNode.open({ store: held.store });
    await node.write("m f=1 1");
    held.hold();
    const leaving = new AbortController();
    const writing = node.write("m f=2 2", {}, leaving.signal);
    await settle();
    const reason = new Error("gone");
    leaving.abort(reason);
    await assert.rejects(writing, reason);
    assert.equal(node.clock.sleeperCount, 0);
    held.letGo();
    await settle();
    assert.equal((await node.rows("SELECT * FROM m")).length, 2);
  });

  test("a write that does not wait is answered when it is checked, and is there once it is flushed", async () => {
    const held = heldStore("host01/log/entry/");
    await using node = await SmallNode.open({ store: held.store });
    await node.write("m f=1 1");
    held.hold();
    const outcome = await node.write("m f=2 2\nm f=1i 3", { sync: false });
    assert.equal(outcome.token, undefined);
    assert.deepEqual(rejected(outcome), [`2: ${CONFLICT}`]);
    assert.ok(node.flusher.pendingSizeBytes > 0);
    assert.equal((await node.rows("SELECT * FROM m")).length, 1);
    held.letGo();
    await node.flusher.drain();
    await settle();
    assert.equal((await node.rows("SELECT * FROM m")).length, 2);
    assert.equal(node.flusher.pendingSizeBytes, 0);
  });
});
