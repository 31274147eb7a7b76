import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import type { NodeNumber } from "#model/ids.ts";
import { NODE_NUMBER_MAX } from "#model/stamp.ts";
import { settle } from "#testing/hand-clock.ts";
import { SmallNode } from "#testing/small-node.ts";
import { queryId } from "./query-log.ts";

const FOREVER = new AbortController().signal;
const INSIDE = { database: "_internal" };

function ask(node: SmallNode, text: string, signal = FOREVER) {
  return node.queries.run({ database: "db", text, parameters: {}, tokens: [] }, signal);
}

/** What the log says of all queries but the one that asks. */
async function logged(node: SmallNode, columns: string) {
  const text = `SELECT ${columns} FROM system.queries WHERE NOT running ORDER BY id`;
  return numbered(await node.rows(text, INSIDE));
}

/** Rows whose ids are numbers again. */
function numbered(rows: readonly Readonly<Record<string, unknown>>[]) {
  return rows.map((logRow) => {
    const { id, ...rest } = logRow;
    return typeof id === "string" ? { ...rest, id: Number(`0x${id.slice(-9)}`) } : logRow;
  });
}

suite("system.queries", () => {
  test("has how queries ended, and how many files they read", async () => {
    await using node = await SmallNode.open({ queries: { logEntriesMax: 10 } });
    await node.write("m f=1 1\nm f=2 2");
    await node.snapshotter.take(FOREVER);
    await node.rows("SELECT f FROM m");
    await assert.rejects(node.rows("SELEC"));
    await assert.rejects(node.rows("SELECT nobody FROM m"));
    const leaving = new AbortController();
    const left = await ask(node, "SELECT f FROM m", leaving.signal);
    leaving.abort(new Error("left"));
    await assert.rejects(async () => {
      for await (const _ of left.batches) assert.fail("a row after the end");
    });
    await settle();
    const columns = "id, query_text, phase, success, cancelled, parquet_files, query_type";
    assert.deepEqual(await logged(node, columns), [
      row(1, "SELECT f FROM m", "success", 1n),
      row(2, "SELEC", "fail", null),
      row(3, "SELECT nobody FROM m", "fail", null),
      row(4, "SELECT f FROM m", "cancel", 1n),
    ]);
  });

  test("ends queries by number, those that run and those that wait, and no others", async () => {
    await using node = await SmallNode.open({ queries: { concurrentMax: 1 } });
    await node.write("m f=1 1");
    const { log } = node.queries.runner;
    const running = await ask(node, "SELECT f FROM m");
    const waiting = ask(node, "SELECT f AS g FROM m");
    const shown = () =>
      [...log.running].map(({ database, number, text }) => [number, database, text]);
    assert.deepEqual(shown(), [
      [1, "db", "SELECT f FROM m"],
      [2, "db", "SELECT f AS g FROM m"],
    ]);
    assert.deepEqual([log.kill(2), log.kill(1), log.kill(3)], [true, true, false]);
    const killed = { kind: "conflict", code: "query_killed", message: "query interrupted" };
    await assert.rejects(waiting, killed);
    await assert.rejects(async () => {
      for await (const _ of running.batches) assert.fail("a row after the end");
    }, killed);
    await settle();
    assert.deepEqual(shown(), []);
    assert.deepEqual(await node.rows("SELECT f FROM m"), [{ f: 1 }]);
  });

  test("has the query that asks as one that runs, and how long each phase took", async () => {
    await using node = await SmallNode.open({ queries: { logEntriesMax: 10, concurrentMax: 1 } });
    await node.write("m f=1 1");
    const holding = await ask(node, "SELECT f FROM m");
    const waiting = ask(node, "SELECT f AS g FROM m");
    await node.clock.advance(5);
    for await (const _ of holding.batches);
    const second = await waiting;
    await node.clock.advance(7);
    for await (const _ of second.batches);
    const durations =
      "id, permit_duration, plan_duration, execute_duration, end2end_duration, compute_duration";
    const ms = 1_000_000n;
    const none = { plan_duration: 0n, compute_duration: null };
    assert.deepEqual(await logged(node, durations), [
      {
        id: 1,
        permit_duration: 0n,
        execute_duration: 5n * ms,
        end2end_duration: 5n * ms,
        ...none,
      },
      {
        id: 2,
        permit_duration: 5n * ms,
        execute_duration: 7n * ms,
        end2end_duration: 12n * ms,
        ...none,
      },
    ]);
    const [own] = numbered(
      await node.rows("SELECT id, running, phase FROM system.queries LIMIT 1", INSIDE),
    );
    assert.deepEqual(own, { id: 4, running: true, phase: "permit" });
  });

  test("a query that ran out of time has failed; one that is let go is cancelled", async () => {
    await using node = await SmallNode.open({ queries: { logEntriesMax: 10, timeoutMs: 100 } });
    await node.write("m f=1 1");
    await ask(node, "SELECT f FROM m");
    await node.clock.advance(100);
    await (await ask(node, "SELECT f FROM m")).batches[Symbol.asyncIterator]().return?.();
    assert.deepEqual(await logged(node, "phase"), [{ phase: "fail" }, { phase: "cancel" }]);
  });

  test("keeps the last ones, and the beginnings of long texts", async () => {
    await using node = await SmallNode.open({ queries: { logEntriesMax: 3 } });
    const long = `SELECT '${"é".repeat(10_000)}'`;
    for (const text of ["SELECT 1", "SELECT 2", "SELECT 3", long]) await node.rows(text, INSIDE);
    const rows = await node.rows("SELECT id, query_text FROM system.queries", INSIDE);
    assert.deepEqual(
      numbered(rows).map((logRow) => logRow["id"]),
      [5, 4, 3],
    );
    assert.equal(rows[1]?.["query_text"], `${long.slice(0, 2_048)}…`);
  });

  test("has no passwords", async () => {
    await using node = await SmallNode.open({ queries: { logEntriesMax: 10 } });
    await assert.rejects(node.rows("CREATE USER u WITH PASSWORD 's3cret'"));
    const long = `SELECT '${"x".repeat(2_000)}' -- http://me:s3cret`.padEnd(3_000, "s3cret");
    await node.rows(long, INSIDE);
    const { log } = node.queries.runner;
    log.begin("CREATE SUBSCRIPTION s ON a.p DESTINATIONS ALL 'http://me:s3cret@host'", "influxql");
    const rows = await node.rows("SELECT query_text FROM system.queries OFFSET 1", INSIDE);
    assert.deepEqual(
      rows.map((logRow) => logRow["query_text"]),
      [
        "CREATE SUBSCRIPTION s ON a.p DESTINATIONS ALL 'http://[REDACTED]@host'",
        `${long.slice(0, long.indexOf("me:"))}[REDACTED]@…`,
        "CREATE USER u WITH PASSWORD [REDACTED]",
      ],
    );
  });

  test("the id of a query is a UUID that no other one has, and later ones are greater", () => {
    const one = { ms: 1_767_225_600_000, node: 1, epoch: 1, number: 1 };
    const what = fc.record({
      ms: fc.nat(2 ** 31),
      node: fc.integer({ min: 1, max: NODE_NUMBER_MAX }),
      epoch: fc.integer({ min: 1, max: 2 ** 24 - 1 }),
      number: fc.integer({ min: 1, max: 2 ** 36 - 1 }),
    });
    const idOf = ({ epoch, ms, node, number }: typeof one) =>
      queryId(BigInt(ms) * 1_000_000n, { node: node as NodeNumber, epoch }, number);
    assert.equal(idOf(one), "019b76da-a800-7000-9000-001000000001");
    fc.assert(
      fc.property(what, what, (left, right) => {
        assert.match(
          idOf(left),
          /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
        assert.equal(idOf(left) === idOf(right), isDeepStrictEqual(left, right));
        if (left.ms < right.ms) assert.ok(idOf(left) < idOf(right));
      }),
    );
  });

  test("is empty where nothing is to be kept", async () => {
    await using node = await SmallNode.open();
    assert.deepEqual(await node.rows("SELECT id FROM system.queries", INSIDE), []);
  });
});

function row(id: number, text: string, phase: string, files: bigint | null) {
  return {
    id,
    query_text: text,
    phase,
    success: phase === "success",
    cancelled: phase === "cancel",
    parquet_files: files,
    query_type: "sql",
  };
}
