import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import {
  applyChanges,
  type CatalogState,
  EMPTY_CATALOG,
  findDatabase,
  findTable,
} from "#catalog/catalog-state.ts";
import type { ParsedBody } from "#lineprotocol/parsed.ts";
import { parseText } from "#lineprotocol/rows.ts";
import { looksOf } from "#staging/plain-stage.ts";
import { SCHEMA_LIMITS } from "#testing/small-node.ts";
import { type Validated, validate } from "./validate.ts";
import type { SchemaLimits } from "./write.ts";

/** A catalog after lines were written into `db`, each a request of its own. */
function catalogOf(...lines: readonly string[]) {
  return lines.reduce((state, line) => {
    return applyChanges(state, validated(parseText(line), state, SCHEMA_LIMITS).changes);
  }, EMPTY_CATALOG);
}

/** What is found of `body`, once its looks are found not to tell enough. */
function validated(
  { tables: parsed }: ParsedBody,
  state: CatalogState,
  limits: SchemaLimits,
): Validated {
  const looks = parsed.map(looksOf);
  const byLooks = validate({ looks, parsed: undefined }, state, "db", limits);
  const byRows = validate({ looks, parsed }, state, "db", limits);
  assert.ok(byRows !== undefined);
  if (byLooks !== undefined) assert.deepEqual(byLooks, byRows);
  return byRows;
}

/** Names and kinds of the columns of table `m`, sorted. */
function columnsIn(state: CatalogState): readonly string[] {
  const database = findDatabase(state, "db");
  const table = database && findTable(database, "m");
  return (table?.columns ?? []).map(({ kind, name }) => `${name}:${kind}`).toSorted();
}

interface Case {
  readonly name: string;
  /** Lines that were written before. */
  readonly before?: readonly string[];
  readonly limits?: Partial<SchemaLimits>;
  readonly text: string;
  /** Line and message. */
  readonly problems: readonly (readonly [line: number, message: string])[];
  /** What the table `m` is after it: names and kinds, in order. */
  readonly columns?: string;
  readonly limitMet?: boolean;
}

const CONFLICT = "invalid column type for column";

const CASES: readonly Case[] = [
  {
    name: "a new table has its columns in order of first use",
    text: 'm,b=1,a=2 z=1,y=2i 1\nm,c=3 x=t,w=1u,v="s" 2',
    problems: [],
    columns: "time b:tag a:tag z:float y:integer c:tag x:boolean w:uinteger v:string",
  },
  {
    name: "later columns follow those that are there",
    before: ["m,a=1 f=1"],
    text: "m,b=1 f=1,e=1\nm,a=1 d=1",
    problems: [],
    columns: "time a:tag f:float b:tag e:float d:float",
  },
  ...conflictCases(),
  {
    name: "a conflict between two lines of a request is the later one's",
    text: "m f=1 1\nm f=1i 2\nm f=2 3",
    problems: [
      [
        2,
        `${CONFLICT} 'f', expected iox::column_type::field::float, got iox::column_type::field::integer`,
      ],
    ],
    columns: "time f:float",
  },
  {
    name: "a rejected line brings no column, a good one after it does",
    before: ["m f=1"],
    text: "m,new=1 other=1,f=1i 1\nm other=1i 2",
    problems: [
      [
        1,
        `${CONFLICT} 'f', expected iox::column_type::field::float, got iox::column_type::field::integer`,
      ],
    ],
    columns: "time f:float other:integer",
  },
  {
    name: "a tag and a field of one name, in one line",
    text: "m,a=1 a=1 1",
    problems: [
      [1, `${CONFLICT} 'a', expected iox::column_type::tag, got iox::column_type::field::float`],
    ],
  },
  {
    name: "a tag and a field of one name, in two lines",
    text: "m f=1,a=2 1\nm,a=1 f=1 2",
    problems: [
      [2, `${CONFLICT} 'a', expected iox::column_type::field::float, got iox::column_type::tag`],
    ],
    columns: "time f:float a:float",
  },
  {
    name: "names differ in case",
    text: "m,A=1,a=2 f=1,F=2i",
    problems: [],
    columns: "time A:tag a:tag f:float F:integer",
  },
  {
    name: "`time` is a reserved column of a new table, as a tag",
    text: "m,time=1 f=1",
    problems: [[1, "'time' is a reserved column"]],
  },
  {
    name: "`time` is a reserved column of a new table, as a field, while its other lines are stored",
    text: "m time=1i 1\nm f=1 2",
    problems: [[1, "'time' is a reserved column"]],
    columns: "time f:float",
  },
  {
    name: "`time` as a field of a table that is there is a conflict",
    before: ["m f=1"],
    text: "m time=1i",
    problems: [
      [
        1,
        `${CONFLICT} 'time', expected iox::column_type::timestamp, got iox::column_type::field::integer`,
      ],
    ],
    columns: "time f:float",
  },
  {
    name: "`time` as a tag of a table that is there is a conflict",
    before: ["m f=1"],
    text: "m,time=x f=1",
    problems: [
      [1, `${CONFLICT} 'time', expected iox::column_type::timestamp, got iox::column_type::tag`],
    ],
    columns: "time f:float",
  },
  {
    name: "columns up to the limit fit, `time` counts",
    limits: { columnCountMax: 3 },
    text: "m,a=1 f=1",
    problems: [],
    columns: "time a:tag f:float",
  },
  {
    name: "the column limit is met in mid request: what fits stays, what is known goes on",
    limits: { columnCountMax: 3 },
    text: "m f=1 1\nm a=1,b=1 2\nm a=1 3\nm b=1 4\nm f=2,a=2 5",
    problems: [
      [2, columnLimit(4, 3)],
      [4, columnLimit(4, 3)],
    ],
    columns: "time f:float a:float",
    limitMet: true,
  },
  {
    name: "the tag limit has a text of its own",
    before: ["m,a=1,b=1 f=1"],
    limits: { tagCountMax: 2 },
    text: "m,c=1 f=1 1\nm,b=1 g=1 2",
    problems: [
      [
        1,
        "Schema update for table 'm' would exceed the tag column limit: proposed schema would have 3 tag columns, but the limit is 2",
      ],
    ],
    columns: "time a:tag b:tag f:float g:float",
    limitMet: true,
  },
  {
    name: "tags of a rejected line do not count",
    limits: { tagCountMax: 2 },
    text: "m,a=1,time=1 f=1 1\nm,b=1,c=1 f=1 2",
    problems: [[1, "'time' is a reserved column"]],
    columns: "time f:float b:tag c:tag",
  },
  {
    name: "the table limit refuses every line of a new table, and no other",
    before: ["m f=1", "n f=1"],
    limits: { tableCountMax: 2 },
    text: "o f=1 1\nm f=1 2\no f=2 3\nn f=1 4",
    problems: [
      [1, tableLimit(2)],
      [3, tableLimit(2)],
    ],
    columns: "time f:float",
    limitMet: true,
  },
  {
    name: "the table limit is met in mid request",
    limits: { tableCountMax: 1 },
    text: "m f=1 1\nn f=1 2\nm g=1 3",
    problems: [[2, tableLimit(1)]],
    columns: "time f:float g:float",
    limitMet: true,
  },
  {
    name: "a table of which every line is refused is not made, and takes no place",
    limits: { tableCountMax: 1 },
    text: "bad time=1 1\nm f=1 2",
    problems: [[1, "'time' is a reserved column"]],
    columns: "time f:float",
  },
];

function columnLimit(columnCount: number, limit: number): string {
  return `Schema update for table 'm' would exceed the column limit: proposed schema update would have ${columnCount} columns, but the limit is ${limit}`;
}

function tableLimit(limit: number): string {
  return `Update to schema would exceed number of tables limit: attempted to create table but already have ${limit} table(s) (limit: ${limit})`;
}

/** Every kind of column meets every other kind. */
function conflictCases(): readonly Case[] {
  const lines = {
    tag: "m,c=1 x=1",
    "field::float": "m x=1,c=1",
    "field::integer": "m x=1,c=1i",
    "field::uinteger": "m x=1,c=1u",
    "field::boolean": "m x=1,c=t",
    "field::string": 'm x=1,c="s"',
  };
  return Object.entries(lines).flatMap(([first, before]) =>
    Object.entries(lines)
      .filter(([second]) => second !== first)
      .map(([second, text]): Case => {
        const message = `${CONFLICT} 'c', expected iox::column_type::${first}, got iox::column_type::${second}`;
        return {
          name: `${second} into ${first}`,
          before: [before],
          text,
          problems: [[1, message]],
        };
      }),
  );
}

function check(text: string, before: readonly string[] = [], limits: Partial<SchemaLimits> = {}) {
  const state = catalogOf(...before);
  const body = parseText(text);
  const found = validated(body, state, { ...SCHEMA_LIMITS, ...limits });
  const problems = found.problems
    .first()
    .map(({ line, message }) => [body.describeLine(line).lineNumber, message] as const);
  return { state, body, validated: found, problems: problems.toSorted(([a], [b]) => a - b) };
}

suite("lines against the catalog", () => {
  for (const { name, before, limits, text, problems, columns, limitMet = false } of CASES) {
    test(name, () => {
      const found = check(text, before, limits);
      assert.deepEqual(found.problems, problems);
      assert.equal(found.validated.problems.limitMet, limitMet);
      const after = applyChanges(found.state, found.validated.changes);
      if (columns !== undefined) assert.equal(columnsOf(after), columns);
      // Asked again on what came of it, nothing is left to change, and the same is refused for good.
      const again = validated(parseText(text), after, { ...SCHEMA_LIMITS, ...limits });
      assert.deepEqual(again.changes, []);
    });
  }

  test("each line is decided as if it were a write of its own", () => {
    const value = fc.constantFrom("1", "1i", "t", '"s"');
    const name = fc.constantFrom("a", "b", "c", "d", "e");
    const line = fc
      .tuple(
        fc.subarray(["a", "b", "x"]),
        fc.uniqueArray(fc.tuple(name, value), { minLength: 1, selector: ([key]) => key }),
      )
      .map(
        ([tags, fields]) =>
          `m${tags.map((tag) => `,${tag}=v`).join("")} ${fields.map((field) => field.join("=")).join(",")}`,
      );
    const limits = { ...SCHEMA_LIMITS, columnCountMax: 6, tagCountMax: 2 };
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 3 }),
        fc.array(line, { minLength: 1, maxLength: 12 }),
        (before, lines) => {
          const started = catalogOf(...before);
          let state = started;
          const bad: number[] = [];
          for (const [index, text] of lines.entries()) {
            const alone = validated(parseText(text), state, limits);
            if (alone.problems.count > 0) bad.push(index + 1);
            else state = applyChanges(state, alone.changes);
          }
          const body = parseText(lines.join("\n"));
          const all = validated(body, started, limits);
          const found = all.problems
            .first()
            .map((problem) => body.describeLine(problem.line).lineNumber);
          assert.deepEqual(found, bad);
          assert.deepEqual(columnsIn(applyChanges(started, all.changes)), columnsIn(state));
        },
      ),
    );
  });

  test("lines that do not fit are counted, and the first are kept, in whichever table they are", () => {
    const lines = Array.from({ length: 500 }, (_, index) =>
      index % 3 === 0 ? "n f=1i" : "m f=1i",
    );
    const { problems, validated: found } = check(lines.join("\n"), ["m f=1\nn f=1"]);
    assert.equal(found.problems.count, 500);
    assert.deepEqual(
      problems.map(([line]) => line),
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    assert.deepEqual(found.tables, []);
  });

  test("rows that fit are named where some do not, else they are all", () => {
    const found = check("m f=1 1\nm f=1i 2\nn f=1 3\nm f=2 4");
    assert.deepEqual(rowsByTable(found), { m: [0, 2], n: { start: 0, end: 1 } });
  });

  test("a table without a row that fits is left out", () => {
    const found = check("m f=1i 1\nn f=1 3", ["m f=1"]);
    assert.deepEqual(rowsByTable(found), { n: { start: 0, end: 1 } });
    assert.equal(found.validated.tables[0]?.schema, undefined);
  });

  test("the columns that a bad line alone had are nobody's", () => {
    const { validated: found, state } = check("m f=1 1\nm g=1,h=2 x\n", []);
    assert.equal(columnsOf(applyChanges(state, found.changes)), "time f:float");
  });

  test("a new database is made with its first table, and not for nothing", () => {
    const { validated: found } = check("m f=1");
    assert.deepEqual(
      found.changes.map(({ kind }) => kind),
      ["create_database", "create_table"],
    );
    assert.deepEqual(check("m time=1").validated.changes, []);
  });

  test("one database too many is refused as a whole", () => {
    assert.throws(() => check("m f=1", [], { databaseCountMax: 0 }), {
      kind: "exceeded",
      code: "database_limit",
      message: "Adding a new database would exceed limit of 0 databases",
    });
    check("m f=1", ["m f=1"], { databaseCountMax: 1 });
  });
});

function columnsOf(state: ReturnType<typeof catalogOf>): string | undefined {
  const database = findDatabase(state, "db");
  const table = database && findTable(database, "m");
  return table?.columns
    .map(({ name, kind }) => (kind === "time" ? name : `${name}:${kind}`))
    .join(" ");
}

function rowsByTable({ body, validated: { tables } }: ReturnType<typeof check>) {
  return Object.fromEntries(
    tables.map(({ index, rows }) => [
      body.tables[index]?.name,
      rows instanceof Uint32Array ? Array.from(rows) : rows,
    ]),
  );
}
