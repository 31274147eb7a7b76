import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { DuckDbEngine } from "#engine/duckdb/duckdb-engine.ts";
import { openTestEngine } from "#engine/duckdb/test-engine.ts";
import { typeName } from "#model/query/type-text.ts";
import { HOME_ROWS, homeBlocks, homeContext } from "#testing/home.ts";
import { planStatement } from "./plan/plan.ts";
import { encodeResult } from "./result/result.ts";
import { parseStatement } from "./sql/statement.ts";

const SCRIPTS = globSync(join(import.meta.dirname, "testdata/*.txt"));
/** A statement, a line of dashes, and the answer up to an empty line: columns with their types, then rows; or the error. */
const CASE = /^(?!#)(.+)\n----\n((?:.+\n)*)/gm;
const FOREVER = new AbortController().signal;

suite("answers of the engine of nodes", () => {
  let engine: DuckDbEngine;
  const context = homeContext(HOME_ROWS);
  before(async () => {
    engine = await openTestEngine({ load: () => Promise.reject(new Error("no files")) });
    await engine.append(homeBlocks());
  });
  after(() => engine[Symbol.asyncDispose]());

  /** The types and rows, or the error, of a statement. */
  async function answer(sql: string): Promise<string> {
    try {
      const plan = planStatement(parseStatement(sql), context);
      const batches = engine.query(plan, FOREVER);
      const chunks = await Array.fromAsync(encodeResult("jsonl", plan.fields, batches));
      const columns = plan.fields.map(({ name, type }) => `${name} ${typeName(type)}`).join(" | ");
      return `${columns}\n${chunks.map(fromUtf8).join("")}`;
    } catch (error) {
      if (!(error instanceof DbError)) throw error;
      return `${error.kind} ${error.code}: ${error.message.replaceAll("\n", " ")}\n`;
    }
  }

  for (const path of SCRIPTS) {
    const script = readFileSync(path, "utf8");
    const cases = [...script.matchAll(CASE)];
    if (process.env["REWRITE"] === "1") {
      test(`${basename(path)} is written anew`, async () => {
        const answers = new Map<string, string>();
        for (const [, sql = ""] of cases) answers.set(sql, await answer(sql));
        const rewritten = script.replace(CASE, (_, sql: string) => {
          return `${sql}\n----\n${answers.get(sql) ?? ""}`;
        });
        writeFileSync(path, rewritten);
      });
      continue;
    }
    test(`${basename(path)} has cases`, () => assert.ok(cases.length > 10));
    for (const [, sql = "", expected] of cases) {
      test(`"${sql}" is answered as agreed`, async () => assert.equal(await answer(sql), expected));
    }
  }
});
