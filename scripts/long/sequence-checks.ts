import { KEY_COUNT, lastRound, type SequenceWriter } from "./sequence-writer.ts";
import type { Row, Server } from "./server.ts";

/** What is wrong with the rows that `node` shows of `writer`, when every acknowledged one must be there. */
export async function checkAcknowledged(node: Server, writer: SequenceWriter): Promise<string[]> {
  const { database, name, table } = writer.options;
  const { acknowledged, tokens } = writer;
  const rows = await node.query(
    database,
    `SELECT count(*) AS count, count(DISTINCT n) AS different, sum(n) AS sum FROM ${table} WHERE writer = '${name}' AND n < ${acknowledged}`,
    tokens,
  );
  const expected = { count: acknowledged, different: acknowledged, sum: sumBelow(acknowledged) };
  const what = `${node.options.nodeId}, ${name}, rows below ${acknowledged}`;
  return [...differences(what, rows[0], expected), ...(await checkFixed(node, writer))];
}

/** What is wrong with all rows of a writer that has come to rest: every one of them is looked at. */
export async function checkAll(node: Server, writer: SequenceWriter): Promise<string[]> {
  const { database, name, table } = writer.options;
  const rows = await node.query(
    database,
    `SELECT n FROM ${table} WHERE writer = '${name}' ORDER BY time`,
    writer.tokens,
  );
  const what = `${node.options.nodeId}, ${name}`;
  const failures = await checkFixed(node, writer);
  if (rows.length !== writer.sent)
    failures.push(`${what}: ${rows.length} rows in place of ${writer.sent}`);
  const wrong = rows.findIndex(({ n }, index) => n !== index);
  if (wrong >= 0) failures.push(`${what}: row ${wrong} is ${JSON.stringify(rows[wrong])}`);
  return failures;
}

/** Last write wins, field by field: no value is older than the last one that was acknowledged before the question. */
async function checkFixed(node: Server, writer: SequenceWriter): Promise<string[]> {
  const { database, name, table } = writer.options;
  const { acknowledged } = writer.rounds;
  const rows = await node.query(
    database,
    `SELECT key, even, odd FROM ${table}_fixed WHERE writer = '${name}'`,
    writer.tokens,
  );
  const { sent } = writer.rounds;
  const what = `${node.options.nodeId}, ${name}`;
  const failures: string[] = [];
  for (let key = 0; key < KEY_COUNT; key++) {
    const found = rows.filter((row) => row["key"] === `k${key}`);
    if (found.length > 1) failures.push(`${what}: key ${key} is there ${found.length} times`);
    for (const field of ["even", "odd"] as const) {
      const least = lastRound(acknowledged, key, field) ?? -1;
      const value = found[0]?.[field] ?? -1;
      if (typeof value !== "number" || value < least || value >= Math.max(sent, 0))
        failures.push(
          `${what}: ${field} of key ${key} is ${JSON.stringify(value)}, at least ${least} was acknowledged`,
        );
    }
  }
  return failures;
}

/** What differs between a row and what it should be. */
export function differences(
  what: string,
  row: Row | undefined,
  expected: Readonly<Record<string, number>>,
): string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    // The sum of no rows is NULL.
    const found = row?.[name] ?? 0;
    return found === value ? [] : [`${what}: ${name} is ${JSON.stringify(found)}, not ${value}`];
  });
}

/** 0 + 1 + … + (end - 1). */
export function sumBelow(end: number): number {
  return (end * (end - 1)) / 2;
}
