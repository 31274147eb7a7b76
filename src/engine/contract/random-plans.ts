/** Small random tables and plans over them, so that two engines can be compared. */

import type { GenerationId } from "#model/ids.ts";
import type { AggregateCall, Expression } from "#model/query/expression.ts";
import type { AggregateFunction } from "#model/query/functions/aggregate.ts";
import type { Field, Plan, ScanPlan, ScanSource } from "#model/query/plan.ts";
import { below, type Random, seededRandom } from "#ports/random.ts";
import { plainEngine } from "../plain/plain.ts";
import { Bench, type BenchTable, type Cell, type ScanOptions, type WrittenRow } from "./bench.ts";
import {
  aggregate,
  ascending,
  assertSameList,
  assertSameRows,
  descending,
  grouped,
  input,
  project,
  sorted,
} from "./build.ts";
import {
  ExpressionMaker,
  pick,
  RANDOM_TYPES,
  type RandomInput,
  type RandomType,
  randomLiteral,
} from "./random-expressions.ts";

const COLUMNS = {
  t1: "tag",
  t2: "tag",
  i: "integer",
  u: "uinteger",
  f: "float",
  s: "string",
  b: "boolean",
} as const;
const CELL_TYPES = {
  t1: "string",
  t2: "string",
  i: "int64",
  u: "uint64",
  f: "float64",
  s: "string",
  b: "boolean",
} as const satisfies Record<keyof typeof COLUMNS, RandomType>;
const BUFFER_COUNT = 3;
const PLAN_COUNT = 8;
const AGGREGATES = [
  ["count", RANDOM_TYPES],
  ["sum", ["int64", "float64", "uint64"]],
  ["avg", ["float64"]],
  ["min", RANDOM_TYPES],
  ["max", RANDOM_TYPES],
  ["median", ["int64", "float64"]],
] as const satisfies readonly (readonly [AggregateFunction, readonly RandomType[]])[];

/** Blocks for a few buffers, of which some become files. */
export interface RandomData {
  readonly blocks: readonly {
    readonly buffer: number;
    readonly position: number;
    readonly stamp: bigint;
    readonly rows: readonly WrittenRow[];
  }[];
  readonly filed: readonly boolean[];
  readonly windowNs: bigint;
}

/** A plan over a scan that is made with `options`. */
export interface RandomPlan {
  readonly options: ScanOptions;
  readonly over: (scan: ScanPlan) => Plan;
  /** Whether rows come in an order; else any will do. */
  readonly ordered: boolean;
}

/** Makes a table of chance from `seed` in `bench` and in a plain engine, runs plans on both, and compares. */
export async function comparePlans(bench: Bench, seed: number): Promise<void> {
  const random = seededRandom(seed);
  await using oracle = await Bench.open(async (files) => plainEngine({ files }));
  const data = randomData(random);
  const tables = [await load(bench, data), await load(oracle, data)] as const;
  for (const { options, over, ordered } of randomPlans(random, PLAN_COUNT)) {
    const [plan, expectedPlan] = tables.map(({ table, sources }) =>
      over(table.scan([{ merge: true, sources }], options)),
    ) as [Plan, Plan];
    const expected = await oracle.rows(expectedPlan).catch(() => undefined);
    // Sums of sums may overflow, and engines may meet errors in different rows.
    if (expected === undefined) continue;
    const actual = await bench.rows(plan);
    try {
      if (ordered) assertSameList(actual, expected);
      else assertSameRows(actual, expected);
    } catch (cause) {
      throw new Error(`seed ${seed}, plan ${show(plan)}`, { cause });
    }
  }
}

/** A few blocks of rows with few different keys; no two rows of a block have one. */
export function randomData(random: Random): RandomData {
  const blocks = Array.from({ length: 2 + below(random, 6) }, (_, i) => ({
    buffer: below(random, BUFFER_COUNT),
    position: i + 1,
    stamp: BigInt(1000 + below(random, 500) * 10 + i),
    rows: randomRows(random),
  }));
  const filed = Array.from({ length: BUFFER_COUNT }, () => below(random, 2) === 0);
  return { blocks, filed, windowNs: BigInt(1 + below(random, 40)) * 3_600_000_000_000n };
}

/** `count` plans over the columns of the table of chance. */
export function* randomPlans(random: Random, count: number): Generator<RandomPlan> {
  for (let i = 0; i < count; i += 1) yield randomPlan(random);
}

function randomRows(random: Random): WrittenRow[] {
  const rows = new Map<string, WrittenRow>();
  for (let i = below(random, 12); i >= 0; i -= 1) {
    const row = {
      ...Object.fromEntries(
        Object.entries(CELL_TYPES)
          .filter(() => below(random, 4) > 0)
          .map(([name, type]) => [name, valueOf(randomLiteral(random, type))]),
      ),
      time: BigInt(below(random, 6) - 2) * 7n * 3_600_000_000_000n,
    } as WrittenRow;
    rows.set(JSON.stringify([row["t1"] ?? null, row["t2"] ?? null, String(row.time)]), row);
  }
  return [...rows.values()];
}

function valueOf(expression: Expression): Cell {
  return expression.kind === "literal" ? expression.value : null;
}

async function load(bench: Bench, { blocks, filed, windowNs }: RandomData) {
  const table: BenchTable = bench.table(COLUMNS);
  const generations: GenerationId[] = filed.map(() => bench.generation());
  for (const { buffer, position, stamp, rows } of blocks) {
    await table.append(generations[buffer] as GenerationId, position, stamp, rows);
  }
  const sources: ScanSource[] = [];
  const appended = new Set(blocks.map(({ buffer }) => buffer));
  for (const [i, generation] of generations.entries()) {
    if (!appended.has(i)) continue;
    const source = table.buffered(generation);
    if (filed[i] !== true) {
      sources.push(source);
      continue;
    }
    const files = await table.persist([source], { windowNs });
    sources.push(...files.map((file) => ({ kind: "file" as const, file })));
    await bench.engine.dropGeneration(generation);
  }
  return { table, sources };
}

function randomPlan(random: Random): RandomPlan {
  const names = ["time", ...Object.keys(COLUMNS)].filter(() => below(random, 5) > 0);
  const columns = names.length === 0 ? ["time"] : names;
  const keys = columns.flatMap((name, index): RandomInput[] =>
    name === "time"
      ? [{ index, type: "timestamp" }]
      : name.startsWith("t")
        ? [{ index, type: "string" }]
        : [],
  );
  const predicate = new ExpressionMaker(random, keys).make("boolean", 2);
  const start = BigInt(below(random, 6) - 2) * 7n * 3_600_000_000_000n;
  const options: ScanOptions = {
    columns,
    ...(below(random, 3) === 0 ? { predicate } : {}),
    ...(below(random, 3) === 0 ? { time: { start, end: start + 60_000_000_000_000n } } : {}),
  };
  const seed = below(random, 2 ** 31);
  const ordered = below(random, 2) === 0;
  return { options, ordered, over: (scan) => planOver(seededRandom(seed), scan, ordered) };
}

function planOver(random: Random, scan: ScanPlan, ordered: boolean): Plan {
  let plan: Plan = scan;
  for (let i = below(random, 4); i > 0; i -= 1) plan = nodeOver(random, plan);
  if (!ordered) return plan;
  const keys = plan.fields.map(({ type }, index) => {
    const key = below(random, 2) === 0 ? ascending : descending;
    return key(input(index, type), below(random, 2) === 0);
  });
  const order = sorted(plan, ...keys);
  if (below(random, 2) === 0) return order;
  const [offset, countMax] = [BigInt(below(random, 4)), BigInt(below(random, 8))];
  return { kind: "limit", fields: order.fields, input: order, offset, countMax };
}

function nodeOver(random: Random, plan: Plan): Plan {
  const maker = new ExpressionMaker(random, inputsOf(plan.fields));
  const many = (countMax: number) =>
    Array.from({ length: below(random, countMax) }, () =>
      maker.make(pick(random, RANDOM_TYPES), 2),
    );
  switch (below(random, 3)) {
    case 0: {
      const predicate = maker.make("boolean", 3);
      return { kind: "filter", fields: plan.fields, input: plan, predicate };
    }
    case 1:
      return project(plan, maker.make(pick(random, RANDOM_TYPES), 3), ...many(4));
    default: {
      const groups = many(3);
      const calls = Array.from({ length: below(random, 3) + (groups.length === 0 ? 1 : 0) }, () =>
        randomAggregate(random, maker),
      );
      return grouped(plan, groups, ...calls);
    }
  }
}

function randomAggregate(random: Random, maker: ExpressionMaker): AggregateCall {
  const [name, types] = pick(random, AGGREGATES);
  const type = pick<RandomType>(random, types);
  const filter = below(random, 4) === 0 ? { filter: maker.make("boolean", 2) } : {};
  const distinct = below(random, 4) === 0;
  const argument = maker.make(type, 2);
  return aggregate(name === "count" ? "int64" : type, name, [argument], { distinct, ...filter });
}

function inputsOf(fields: readonly Field[]): RandomInput[] {
  return fields.map(({ type }, index) => ({ index, type }));
}

function show(plan: Plan): string {
  return JSON.stringify(plan, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value,
  );
}
