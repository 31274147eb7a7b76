import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { cellAt } from "#model/query/result.ts";
import { seededRandom } from "#ports/random.ts";
import { SmallNode } from "#testing/small-node.ts";
import type { SeriesChunk, StatementResult } from "./answer.ts";
import { InfluxQl, type InfluxQlOptions } from "./influxql.ts";
import { bindParameters } from "./parse/tokens/parameters.ts";
import type { InfluxQlRequest } from "./request.ts";
import { Selects } from "./select.ts";

const FOREVER = new AbortController().signal;
const LINES = "m,host=a v=1,i=5i 1\nm,host=b v=2 2\nm,host=a v=3,i=7i 3\nother v=9 4";

/** Refuses what is no SELECT. */
const NOTHING: InfluxQlOptions["others"] & InfluxQlOptions["into"] = {
  execute: () => Promise.reject(new DbError("invalid", "influxql_refused", "only SELECT")),
  write: async (_select, rows) => {
    await Array.fromAsync(rows);
    return { series: none(), messages: [], zone: undefined };
  },
};

async function* none(): AsyncGenerator<SeriesChunk> {}

function influxQl(node: SmallNode): InfluxQl {
  const { clock, engine, queries } = node;
  const { runner } = queries;
  const selects = new Selects({ runner, engine, clock, random: seededRandom(1) });
  return new InfluxQl({ clock, runner, selects, others: NOTHING, into: NOTHING });
}

function ask(
  node: SmallNode,
  text: string,
  some: Partial<InfluxQlRequest> = {},
): Promise<AsyncIterable<StatementResult>> {
  const request: InfluxQlRequest = {
    text,
    database: "db",
    retentionPolicy: undefined,
    parameters: new Map(),
    tokens: [],
    native: false,
    readOnly: false,
    ...some,
  };
  return influxQl(node).run(request, FOREVER);
}

/** What each statement answers: its rows, or the text of its error. */
async function answers(node: SmallNode, text: string, some: Partial<InfluxQlRequest> = {}) {
  const found: unknown[] = [];
  for await (const result of await ask(node, text, some)) {
    if (result.kind === "error") found.push(result.error.message);
    else found.push(await rowsOf(result.answer.series));
  }
  return found;
}

async function rowsOf(series: AsyncIterable<SeriesChunk>): Promise<readonly unknown[]> {
  const rows: unknown[] = [];
  for await (const { cells, name, rowCount, tags } of series)
    for (let row = 0; row < rowCount; row += 1) {
      const values = cells.map((cell) => cellAt(cell, row));
      rows.push([[name, ...tags.map(([, value]) => value)].join(" "), ...values]);
    }
  return rows;
}

suite("statements of a request", () => {
  test("answer one after the other, each its own rows", async () => {
    await using node = await SmallNode.open();
    await node.write(LINES);
    const text =
      "SELECT v FROM m WHERE host = 'a'; SELECT v, i FROM other; SELECT v FROM db.autogen.other";
    assert.deepEqual(await answers(node, text), [
      [
        ["m", 1n, 1],
        ["m", 3n, 3],
      ],
      [["other", 4n, 9, null]],
      [["other", 4n, 9]],
    ]);
  });

  test("are not run after one that failed", async () => {
    await using node = await SmallNode.open();
    await node.write(LINES);
    const text = "SELECT v FROM other; SELECT v FROM nodb..m; SELECT v FROM m; SELECT v FROM m";
    assert.deepEqual(await answers(node, text), [
      [["other", 4n, 9]],
      "database not found: nodb",
      "not executed",
      "not executed",
    ]);
  });

  test("are not run at all where one is no InfluxQL", async () => {
    await using node = await SmallNode.open();
    const code = { kind: "invalid", code: "influxql_syntax" };
    await assert.rejects(ask(node, "SELECT v FROM m; SELECT"), code);
    assert.deepEqual(node.queries.runner.log.table().rows, []);
  });

  test("answer nothing of measurements that are not there, and say which database is missing", async () => {
    await using node = await SmallNode.open();
    await node.write(LINES);
    assert.deepEqual(await answers(node, "SELECT v FROM nobody; SELECT v FROM /^x/"), [[], []]);
    assert.deepEqual(await answers(node, "SELECT v FROM m", { database: undefined }), [
      "database name required",
    ]);
    assert.deepEqual(await answers(node, "SELECT v FROM m", { retentionPolicy: "week" }), [
      "retention policy not found: week",
    ]);
  });

  test("take values of parameters", async () => {
    await using node = await SmallNode.open();
    await node.write(LINES);
    const parameters = bindParameters({ host: "b", least: 1n });
    const text = "SELECT v FROM m WHERE host = $host AND v > $least";
    assert.deepEqual(await answers(node, text, { parameters }), [[["m", 2n, 2]]]);
  });

  test("are one where 3.x takes one", async () => {
    await using node = await SmallNode.open();
    await assert.rejects(ask(node, "SELECT v FROM m; SELECT v FROM m", { native: true }), {
      code: "influxql_statement_count",
    });
  });

  test("change nothing where 3.x only tells", async () => {
    await using node = await SmallNode.open();
    await node.write(LINES);
    for (const text of [
      "SELECT v INTO x FROM m",
      "DROP DATABASE db",
      "DELETE FROM m",
      "KILL QUERY 1",
    ])
      await assert.rejects(ask(node, text, { native: true }), { code: "influxql_read_only" });
    await ask(node, "EXPLAIN SELECT v INTO x FROM m", { native: true });
    assert.equal((await node.rows("SELECT v FROM m")).length, 3);
  });

  test("are remembered and shown without passwords, as 1.x writes them", async () => {
    await using node = await SmallNode.open({ queries: { logEntriesMax: 2 } });
    await answers(node, "create user u with password 's3cret'");
    await answers(node, "set password for u = 's3cret'");
    assert.deepEqual(
      node.queries.runner.log.table().rows.map((row) => row[4]),
      ["SET PASSWORD FOR u = [REDACTED]", "CREATE USER u WITH PASSWORD [REDACTED]"],
    );
  });

  test("hold a place only until their rows are let go", async () => {
    await using node = await SmallNode.open({ queries: { concurrentMax: 1 } });
    await node.write(LINES);
    for await (const result of await ask(node, "SELECT v FROM m; SELECT v FROM other"))
      if (result.id === 1) assert.equal(result.kind, "answer");
    assert.equal((await node.rows("SELECT v FROM m")).length, 3);
  });

  test("have the time of one query together", async () => {
    await using node = await SmallNode.open({ queries: { timeoutMs: 60_000 } });
    await node.write(LINES);
    const told: unknown[] = [];
    for await (const result of await ask(node, "SELECT v FROM other;".repeat(4))) {
      told.push(result.kind === "error" ? result.error.code : await rowsOf(result.answer.series));
      await node.clock.advance(25_000);
    }
    const rows = [["other", 4n, 9]];
    assert.deepEqual(told, [rows, rows, rows, "query_timeout"]);
  });

  test("say so where they change something in a request that should not", async () => {
    await using node = await SmallNode.open();
    await node.write(LINES);
    const request = await ask(node, "select v into x from m", { readOnly: true });
    const told: string[] = [];
    for await (const result of request)
      if (result.kind === "answer") told.push(...result.answer.messages.map(({ text }) => text));
    assert.deepEqual(told, [
      "deprecated use of 'SELECT v INTO x FROM m' in a read only context, please use a POST request instead",
    ]);
  });
});

test("a SELECT reads what the tables of its sources have in common", async () => {
  await using node = await SmallNode.open();
  await node.write(LINES);
  const text =
    "SELECT max(v) FROM /m|other/ GROUP BY host; SELECT sum(x) FROM (SELECT max(v) AS x FROM m GROUP BY host); SELECT mean(*) FROM m";
  assert.deepEqual(await answers(node, text), [
    [
      ["m a", 3n, 3],
      ["m b", 2n, 2],
      ["other ", 4n, 9],
    ],
    [["m", 0n, 5]],
    [["m", 0n, 6, 2]],
  ]);
});

test("EXPLAIN tells what is read, EXPLAIN ANALYZE how many rows there were", async () => {
  await using node = await SmallNode.open();
  await node.write(LINES);
  const [plan, analyzed] = await answers(
    node,
    "EXPLAIN SELECT max(v) FROM m; EXPLAIN ANALYZE SELECT v FROM m",
  );
  assert.deepEqual((plan as unknown[][])[0]?.[1], "EXPRESSION: max(v::float)");
  assert(JSON.stringify(analyzed).includes("ROWS: 3"));
});

test("elapsed tells the times between values of any type", async () => {
  await using node = await SmallNode.open();
  await node.write('m s="x" 1\nm b=true 2\nm s="y" 4');
  assert.deepEqual(await answers(node, "SELECT elapsed(s) FROM m"), [[["m", 4n, 3n]]]);
});
