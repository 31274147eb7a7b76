import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import * as fc from "fast-check";
import { Bench } from "#engine/contract/bench.ts";
import { openTestEngine } from "#engine/duckdb/test-engine.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import type { Plan } from "#model/query/plan.ts";
import { ALL_TIME, TIME_MAX, TIME_MIN } from "#model/time-range.ts";
import type { ReduceRequest } from "../../points/source.ts";
import type { ReducerInput, ReducerName, VariableInput } from "../../resolved.ts";
import type { Reading } from "../reading.ts";
import { EnginePoints } from "../source.ts";
import { readingOf, showPoints, type TestTable, testTable } from "../test-table.ts";
import { REDUCED_NAMES } from "./parts.ts";

const KINDS = { host: "tag", f: "float", i: "integer", s: "string" } as const;

function variable(name: "f" | "i" | "s", type: "float" | "integer" | "string"): VariableInput {
  return { kind: "variable", name, type };
}

const F = variable("f", "float");
const I = variable("i", "integer");
const S = variable("s", "string");

function reducer(name: ReducerName, argument: VariableInput, distinct = false): ReducerInput {
  const type = argument.type;
  return { kind: "reducer", name, argument, distinct, parameter: undefined, keys: [], type };
}

function requestOf({ table }: TestTable, some: Partial<ReduceRequest>): ReduceRequest {
  return {
    source: { kind: "table", name: "m", table, database: "db", condition: undefined },
    time: ALL_TIME,
    dimensions: [],
    descending: false,
    seriesDescending: some.descending ?? false,
    window: undefined,
    reducers: [],
    beside: [],
    ownTime: false,
    rowsMax: undefined,
    ...some,
  };
}

async function reduce(from: TestTable, some: Partial<ReduceRequest>) {
  const source = new EnginePoints(from.reading);
  const request = requestOf(from, some);
  assert.ok(source.canReduce(request), "it can be reduced");
  return showPoints(source.reduced(request));
}

interface NumberRow {
  readonly time: bigint;
  readonly host: string | null;
  readonly f: number | null;
  readonly i: bigint | null;
}

/** As InfluxDB 1 does it, row by row. */
function expected(name: ReducerName, rows: readonly NumberRow[], field: "f" | "i"): string {
  const present = rows.flatMap((row) =>
    row[field] === null ? [] : [{ ...row, value: Number(row[field]) }],
  );
  const values = present.map(({ value }) => value);
  const sorted = values.toSorted((left, right) => left - right);
  const sum = values.reduce((all, value) => all + value, 0);
  const mean = sum / values.length;
  const edge = (time: bigint) =>
    Math.max(...present.filter((row) => row.time === time).map(({ value }) => value));
  const times = present.map(({ time }) => time).toSorted((left, right) => Number(left - right));
  const middle = [sorted[(sorted.length - 1) >> 1] ?? 0, sorted[sorted.length >> 1] ?? 0];
  const squares = values.reduce((all, value) => all + (value - mean) ** 2, 0);
  const answers: Partial<Record<ReducerName, number>> = {
    count: values.length,
    sum,
    mean,
    median: (middle[0] ?? 0) / 2 + (middle[1] ?? 0) / 2,
    spread: (sorted.at(-1) ?? 0) - (sorted[0] ?? 0),
    stddev: Math.sqrt(squares / (values.length - 1)),
    first: edge(times[0] ?? 0n),
    last: edge(times.at(-1) ?? 0n),
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
  };
  const answer = values.length === 0 ? undefined : answers[name];
  if (answer === undefined) return "-";
  if (name === "stddev" && values.length === 1) return "NaN";
  return rounded(answer);
}

/** To nine digits, as sums in another order differ behind them; of zeros the one without a sign. */
function rounded(value: number): string {
  return String(Number(value.toPrecision(9)));
}

const numberRow = fc.record({
  time: fc.bigInt({ min: -40n, max: 40n }),
  host: fc.constantFrom("a", "b", null),
  region: fc.constantFrom("x", "y"),
  f: fc.option(fc.integer({ min: -8, max: 8 }).map((value) => value / 4)),
  i: fc.option(fc.bigInt({ min: -5n, max: 5n })),
});

suite("tables, reduced by the engine", () => {
  let bench: Bench;

  before(async () => {
    bench = await Bench.open((files) => openTestEngine(files));
  });
  after(() => bench[Symbol.asyncDispose]());

  test("what the engine makes of rows is what InfluxDB 1 makes of them", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(numberRow, {
          minLength: 1,
          maxLength: 30,
          selector: ({ host, region, time }) => `${time} ${host} ${region}`,
        }),
        fc.record({
          windowed: fc.boolean(),
          byHost: fc.boolean(),
          descending: fc.boolean(),
          field: fc.constantFrom("f" as const, "i" as const),
          offsetNs: fc.bigInt({ min: -12n, max: 12n }),
        }),
        async (rows, { byHost, descending, field, offsetNs, windowed }) => {
          const kinds = { ...KINDS, region: "tag" } as const;
          const from = await testTable(bench, "m", kinds, rows);
          const everyNs = 10n;
          const start = ({ time }: NumberRow) => {
            const rest = (((time - offsetNs) % everyNs) + everyNs) % everyNs;
            return windowed ? time - rest : 0n;
          };
          const key = (row: NumberRow) => `m[${byHost ? (row.host ?? "") : ""}] ${start(row)}`;
          const groups = Map.groupBy(rows, key);
          const argument = field === "f" ? F : I;
          const answered = await reduce(from, {
            reducers: REDUCED_NAMES.map((name) => reducer(name, argument)),
            dimensions: byHost ? ["host"] : [],
            window: windowed ? { everyNs, offsetNs } : undefined,
            descending,
          });
          const shown = answered.map((line) => {
            const [series, time, ...cells] = line.split(" ");
            return [
              series,
              time,
              ...cells.map((cell) => (cell === "-" ? cell : rounded(Number(cell)))),
            ].join(" ");
          });
          const wanted = [...groups]
            .filter(([, members]) => members.some((row) => row[field] !== null))
            .map(([label, members]) => ({
              label: [label, ...REDUCED_NAMES.map((name) => expected(name, members, field))].join(
                " ",
              ),
              series: label.split(" ")[0] ?? "",
              time: start(members[0] as NumberRow),
            }))
            .toSorted((left, right) => {
              if (left.series !== right.series) return left.series < right.series ? -1 : 1;
              return Number(left.time - right.time);
            })
            .map(({ label }) => label);
          assert.deepEqual(shown, descending ? wanted.toReversed() : wanted);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("sums of whole numbers go round as they do there, also below a mean", async () => {
    const most = 2n ** 63n - 1n;
    const rows = [most, most, 5n].map((i, time) => ({ time: BigInt(time), i }));
    const from = await testTable(bench, "m", KINDS, rows);
    const reducers = [reducer("sum", I), reducer("mean", I), reducer("count", I)];
    assert.deepEqual(await reduce(from, { reducers }), ["m[] 0 3 1 3"]);
  });

  test("a selector alone has its own time, and what stands beside it", async () => {
    const rows = [
      { time: 1n, host: "a", f: 2, s: "one" },
      { time: 2n, host: "a", f: 3, s: "two" },
      { time: 3n, host: "b", f: 3 },
      { time: 3n, host: "c", f: 1, s: "last" },
      { time: 4n, host: "d", s: "without" },
    ];
    const from = await testTable(bench, "m", KINDS, rows);
    const host: VariableInput = { kind: "variable", name: "host", type: "tag" };
    const one = (name: ReducerName) =>
      reduce(from, { reducers: [reducer(name, F)], beside: [S, host], ownTime: true });
    assert.deepEqual(await one("max"), ["m[] 2 3 two a"]);
    assert.deepEqual(await one("min"), ["m[] 3 1 last c"]);
    assert.deepEqual(await one("first"), ["m[] 1 2 one a"]);
    assert.deepEqual(await one("last"), ["m[] 3 3 - b"]);
  });

  test("text is counted and selected, and different values are counted", async () => {
    const rows = ["b", "a", "b"].map((s, time) => ({ time: BigInt(time), s }));
    const from = await testTable(bench, "m", KINDS, rows);
    const reducers = [
      reducer("count", S),
      reducer("count", S, true),
      reducer("first", S),
      reducer("last", F),
    ];
    assert.deepEqual(await reduce(from, { reducers }), ["m[] 0 3 2 b -"]);
  });

  test("buckets without a value are not there, nor are series", async () => {
    const rows = [
      { time: 1n, host: "a", f: 1 },
      { time: 11n, host: "a", s: "x" },
      { time: 12n, host: "b", s: "x" },
      { time: 21n, host: "c", f: 2 },
    ];
    const from = await testTable(bench, "m", KINDS, rows);
    const window = { everyNs: 10n, offsetNs: 0n };
    const answer = await reduce(from, {
      reducers: [reducer("count", F)],
      dimensions: ["host"],
      window,
    });
    assert.deepEqual(answer, ["m[a] 0 1", "m[c] 20 1"]);
  });

  test("what the engine does not do the same way is left to others", async () => {
    const from = await testTable(bench, "m", KINDS, []);
    const can = (some: Partial<ReduceRequest>) =>
      new EnginePoints(from.reading).canReduce(requestOf(from, some));
    assert.equal(can({ reducers: [reducer("mode", F)] }), false);
    assert.equal(can({ reducers: [reducer("sum", S)] }), false);
  });
});

suite("the first buckets", () => {
  let bench: Bench;

  before(async () => {
    bench = await Bench.open((files) => openTestEngine(files));
  });
  after(() => bench[Symbol.asyncDispose]());

  /** Rows at `times` in a file; the answer, and the time that each plan scanned. */
  async function ask(times: readonly bigint[], some: Partial<ReduceRequest>) {
    const rows = times.map((time) => ({ time, host: "a", f: Number(time) }));
    const from = await testTable(bench, "m", KINDS, rows);
    const files = await from.rows.persistBlocks(from.blocks);
    const scanned: string[] = [];
    const sources = files.map((file) => ({ kind: "file", file }) as const);
    const reading: Reading = {
      ...readingOf(bench, [{ merge: true, sources }]),
      run: (plan) => {
        scanned.push(scanTime(plan));
        return from.reading.run(plan);
      },
    };
    const request = requestOf(from, { reducers: [reducer("max", F)], ...some });
    return { answer: await showPoints(new EnginePoints(reading).reduced(request)), scanned };
  }

  const window = { everyNs: 10n, offsetNs: 3n };
  const dense = Array.from({ length: 1_000 }, (_, index) => BigInt(index) * 5n);

  test("are looked for where the files begin", async () => {
    const { answer, scanned } = await ask(dense, { window, rowsMax: 2 });
    assert.deepEqual(scanned, [`${TIME_MIN}..22`]);
    assert.deepEqual(answer.slice(0, 2), ["m[] -7 0", "m[] 3 10"]);
  });

  test("or end", async () => {
    const { answer, scanned } = await ask(dense, { window, rowsMax: 2, descending: true });
    assert.deepEqual(scanned, [`4963..${TIME_MAX}`]);
    assert.deepEqual(answer.slice(0, 2), ["m[] 4993 4995", "m[] 4983 4990"]);
  });

  test("and in all files where there are too few", async () => {
    const { answer, scanned } = await ask([0n, 100_000n, 200_000n], { window, rowsMax: 2 });
    assert.equal(scanned.at(-1), `${TIME_MIN}..${TIME_MAX}`);
    assert.deepEqual(answer, ["m[] -7 0", "m[] 99993 100000", "m[] 199993 200000"]);
  });

  test("the last value of all is looked for in the newest rows", async () => {
    const many = Array.from({ length: 40_000 }, (_, index) => BigInt(index));
    const { answer, scanned } = await ask(many, { reducers: [reducer("last", F)], ownTime: true });
    assert.equal(scanned.length, 1);
    assert.notEqual(scanned[0], `${TIME_MIN}..${TIME_MAX}`);
    assert.deepEqual(answer, ["m[] 39999 39999"]);
  });
});

function scanTime(plan: Plan): string {
  if (plan.kind === "scan") return `${plan.time.start}..${plan.time.end}`;
  return "input" in plan ? scanTime(plan.input) : "";
}

test("the engine without a process reduces alike", async () => {
  await using bench = await Bench.open(async (files) => plainEngine({ files }));
  const rows = [
    { time: 1n, host: "a", f: 2, i: 3n },
    { time: 12n, host: "a", f: 4, i: 4n },
    { time: 13n, host: "b", f: 6 },
  ];
  const from = await testTable(bench, "m", KINDS, rows);
  const reducers = REDUCED_NAMES.flatMap((name) => [reducer(name, F), reducer(name, I)]);
  assert.deepEqual(await reduce(from, { reducers, window: { everyNs: 10n, offsetNs: 0n } }), [
    "m[] 0 1 1 2 3 2 3 2 3 0 0 NaN NaN 2 3 2 3 2 3 2 3",
    "m[] 10 2 1 10 4 5 4 5 4 2 0 1.4142135623730951 NaN 4 4 6 4 4 4 6 4",
  ]);
});
