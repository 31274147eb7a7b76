/** A node made by hand whose statements are run. */
import assert from "node:assert/strict";
import { messageOf } from "#base/errors.ts";
import { type CellValue, cellAt } from "#model/query/result.ts";
import type { NamedTagCondition, RowDeletion } from "#model/row-delete.ts";
import { ALL_TIME } from "#model/time-range.ts";
import { seededRandom } from "#ports/random.ts";
import type { StatementAnswer } from "#query/influxql/answer.ts";
import type { MetaContext } from "#query/influxql/meta/context.ts";
import { MetaStatements } from "#query/influxql/meta/meta.ts";
import { parseInfluxQl } from "#query/influxql/parse/parse.ts";
import { QueryLog } from "#query/query-log.ts";
import type { HandClock } from "../hand-clock.ts";
import { SmallNode } from "../small-node.ts";

export const HOUR_NS = 3_600_000_000_000n;
const FOREVER = new AbortController().signal;

export class TestMeta implements AsyncDisposable {
  readonly node: SmallNode;
  readonly log: QueryLog;
  /** What was asked to be deleted: nothing of it is. */
  readonly deleted: RowDeletion[] = [];
  readonly #statements: MetaStatements;

  constructor(node: SmallNode) {
    const { catalog, clock, engine, views } = node;
    this.node = node;
    this.log = new QueryLog(clock, 10, () => catalog.writer);
    const change: MetaStatementsOptions["changes"]["change"] = async (_, decide) => {
      await catalog.change(decide);
    };
    this.#statements = new MetaStatements({
      catalog,
      changes: { change, changeRetention: change },
      views,
      engine,
      clock,
      log: this.log,
      random: seededRandom(1),
      limits: { databaseCountMax: 10 },
      dropTimes: () => ({ nowNs: clock.nowNs(), hardDeleteAtNs: undefined }),
      figures: {
        stats: () => [],
        diagnostics: () => [{ name: "build", values: { Version: "1.0" } }],
      },
      rows: {
        deleteRows: async (deletion) => {
          this.deleted.push(deletion);
          return { catalog: 0, node: catalog.writer.node, position: 0, stamp: 0n };
        },
      },
    });
  }

  get clock(): HandClock {
    return this.node.clock;
  }

  async run(
    text: string,
    database: string,
    { native = false, retentionPolicy, signal = FOREVER }: Asked = {},
  ): Promise<readonly StatementAnswer[]> {
    const answers: StatementAnswer[] = [];
    for (const { statement } of parseInfluxQl(text)) {
      if (statement.kind === "select" || statement.kind === "explain") throw new Error(text);
      const context = { database, retentionPolicy, tokens: [], native, signal };
      answers.push(await this.#statements.execute(statement, context));
    }
    return answers;
  }

  async write(database: string, lines: readonly string[]): Promise<void> {
    await this.node.write(lines.join("\n"), { database });
  }

  /** What was asked to be deleted since the last time. */
  wishes(): readonly string[] {
    return this.deleted.splice(0).map(({ condition, database, tables, time }) => {
      const until = time.end === ALL_TIME.end ? "" : ` until ${time.end}`;
      return `${database}: ${tables?.join(",")}${condition ? ` ${textOf(condition)}` : ""}${until}`;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
  }
}

/** What a request says beside its statements and their database. */
type Asked = Partial<Pick<MetaContext, "native" | "retentionPolicy" | "signal">>;

type MetaStatementsOptions = ConstructorParameters<typeof MetaStatements>[0];

export async function startMeta(): Promise<TestMeta> {
  return new TestMeta(await SmallNode.open());
}

function textOf(condition: NamedTagCondition): string {
  switch (condition.kind) {
    case "equal":
      return `${condition.tag} ${condition.negated ? "!=" : "="} ${condition.value}`;
    case "matches":
      return `${condition.tag} ${condition.negated ? "!~" : "=~"} ${condition.pattern}`;
    case "and":
    case "or":
      return `${condition.kind}(${condition.conditions.map(textOf).join(",")})`;
  }
}

/** Lists of an answer: name, tags, columns, then rows. */
export async function shown(
  meta: TestMeta,
  text: string,
  database = "a",
  asked: Asked = {},
): Promise<readonly string[]> {
  const lines: string[] = [];
  let isOpen = false;
  try {
    for (const answer of await meta.run(text, database, asked))
      for await (const chunk of answer.series) {
        const { cells, columns, name, partial, rowCount, tags } = chunk;
        if (!isOpen)
          lines.push(
            `${name}${tags.map(([key, value]) => `,${key}=${value}`).join("")}: ${columns.join(",")}`,
          );
        isOpen = partial;
        for (let row = 0; row < rowCount; row += 1)
          lines.push(cells.map((cell) => cellText(cellAt(cell, row))).join("|"));
      }
  } catch (error) {
    return [`error: ${messageOf(error)}`];
  }
  return lines;
}

function cellText(cell: CellValue): string {
  return typeof cell === "object" ? JSON.stringify(cell) : cell.toString();
}

/** Holds each statement, in database `a`, to the lines of its answer. */
export async function check(
  meta: TestMeta,
  cases: readonly (readonly [text: string, ...lines: string[]])[],
): Promise<void> {
  for (const [text, ...lines] of cases) assert.deepEqual(await shown(meta, text), lines, text);
}
