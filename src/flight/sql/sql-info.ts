/** What Flight SQL's clients ask of a server's SQL: numbers are those of the enum `SqlInfo` in FlightSql.proto. */
import type { UnionColumn } from "#arrow/batch.ts";
import type { DenseUnion } from "#arrow/type.ts";
import { listOf } from "#model/query/value-type.ts";
import { columnOf, type SmallAnswer, type SmallCell, smallField, TEXTS } from "./rows.ts";

type InfoValue =
  | { readonly text: string }
  | { readonly is: boolean }
  | { readonly count: number }
  | { readonly bits: number }
  | { readonly texts: readonly string[] }
  /** Which types are cast to which others: nothing is said of it. */
  | { readonly casts: true };

/** Members of the union, in the order that the protocol gives them. */
const MEMBERS = ["text", "is", "count", "bits", "texts", "casts"] as const;

const VALUE: DenseUnion = {
  kind: "union",
  members: [
    { name: "string_value", type: "string" },
    { name: "bool_value", type: "boolean" },
    { name: "bigint_value", type: "int64" },
    { name: "int32_bitmask", type: "int32" },
    { name: "string_list", type: TEXTS },
    {
      name: "int32_to_int32_list_map",
      type: { kind: "map", key: "int32", value: listOf("int32") },
    },
  ],
};

const FIELDS = [
  smallField("info_name", "uint32"),
  { name: "value", type: VALUE, nullable: false },
] as const;

const KEYWORDS = [
  ["ALL", "AND", "ANY", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "CROSS", "DESC", "DISTINCT"],
  ["ELSE", "END", "EXCEPT", "EXISTS", "EXPLAIN", "EXTRACT", "FALSE", "FILTER", "FROM", "FULL"],
  [
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
  ],
  ["LIMIT", "NATURAL", "NOT", "NULL", "OFFSET", "ON", "OR", "ORDER", "OUTER", "OVER", "PARTITION"],
  [
    "RIGHT",
    "SELECT",
    "SIMILAR",
    "THEN",
    "TRUE",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
  ],
].flat();
const NUMERIC_FUNCTIONS = [
  ["abs", "acos", "asin", "atan", "atan2", "ceil", "cos", "degrees", "exp", "floor", "ln", "log"],
  ["log10", "log2", "pi", "power", "radians", "round", "signum", "sin", "sqrt", "tan", "trunc"],
].flat();
const STRING_FUNCTIONS = [
  [
    "ascii",
    "bit_length",
    "btrim",
    "chr",
    "concat",
    "concat_ws",
    "initcap",
    "left",
    "length",
    "lower",
  ],
  [
    "lpad",
    "ltrim",
    "md5",
    "octet_length",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
  ],
  ["rpad", "rtrim", "sha256", "split_part", "starts_with", "strpos", "substr", "translate", "trim"],
  ["upper"],
].flat();
const TIME_FUNCTIONS = [
  [
    "current_date",
    "current_time",
    "date_bin",
    "date_part",
    "date_trunc",
    "extract",
    "from_unixtime",
  ],
  ["now", "to_timestamp", "to_timestamp_micros", "to_timestamp_millis", "to_timestamp_seconds"],
].flat();

const NO_LIMITS = [...range(541, 555), ...range(557, 561)];
const NOT_THERE = [500, 501, 502, 519, 527, 536, 537, 556, 563, 565, 566, 572, 573, 574, 575, 576];
const THERE = [506, 515, 516, 518, 520, 521, 523, 524, 532, 539];
const NOTHING = [8, 533, 534, 535, 562, 564, 567, 568, 569, 570, 571];

/** Every number that there is an answer to. */
const INFO: ReadonlyMap<number, InfoValue> = new Map<number, InfoValue>(
  (
    [
      // Clients tell by this name whose SQL it is.
      [0, { text: "InfluxDB IOx" }],
      [1, { text: "2" }],
      [2, { text: "1.3" }],
      [3, { is: true }],
      [4, { is: true }],
      [5, { is: false }],
      [9, { is: false }],
      [10, { is: false }],
      [100, { bits: 0 }],
      [101, { bits: 0 }],
      [503, { bits: 3 }],
      [504, { text: '"' }],
      [505, { bits: 1 }],
      [507, { bits: 0 }],
      [508, { texts: KEYWORDS }],
      [509, { texts: NUMERIC_FUNCTIONS }],
      [510, { texts: STRING_FUNCTIONS }],
      [511, { texts: ["arrow_cast", "arrow_typeof"] }],
      [512, { texts: TIME_FUNCTIONS }],
      [513, { text: "\\" }],
      [514, { text: "" }],
      [517, { casts: true }],
      [522, { bits: 3 }],
      [525, { bits: 1 }],
      [526, { bits: 1 }],
      [528, { bits: 2 }],
      [529, { text: "schema" }],
      [530, { text: "procedure" }],
      [531, { text: "catalog" }],
      [538, { bits: 15 }],
      [540, { bits: 3 }],
      ...NO_LIMITS.map((id) => [id, { count: 0 }] as const),
      ...NOT_THERE.map((id) => [id, { is: false }] as const),
      ...THERE.map((id) => [id, { is: true }] as const),
      ...NOTHING.map((id) => [id, { bits: 0 }] as const),
    ] satisfies (readonly [number, InfoValue])[]
  ).toSorted(([left], [right]) => left - right),
);

/** The answers to `ids`, all where there are none; numbers that mean nothing are passed over. */
export function sqlInfoAnswer(ids: readonly number[]): SmallAnswer {
  const asked = new Set(ids);
  const wanted = [...INFO].filter(([id]) => asked.size === 0 || asked.has(id));
  const names = columnOf(
    "uint32",
    wanted.map(([id]) => id),
  );
  return {
    fields: FIELDS,
    batch: { rowCount: wanted.length, columns: [names, unionOf(wanted.map(([, value]) => value))] },
  };
}

function unionOf(values: readonly InfoValue[]): UnionColumn {
  const cells: SmallCell[][] = MEMBERS.map(() => []);
  const members = new Uint8Array(values.length);
  const places = new Int32Array(values.length);
  for (const [row, value] of values.entries()) {
    const member = MEMBERS.findIndex((name) => name in value);
    const own = cells[member] ?? [];
    members[row] = member;
    places[row] = own.length;
    own.push(Object.values(value)[0] as SmallCell);
  }
  const columns = VALUE.members.map(({ type }, member) => {
    const own = cells[member] ?? [];
    const column =
      typeof type === "object" && type.kind === "map" ? noMaps(own.length) : columnOf(type, own);
    return { rowCount: own.length, cells: column };
  });
  return { type: "union", members, places, columns };
}

/** So many maps without entries. */
function noMaps(count: number) {
  const keys = columnOf("int32", []);
  const values = { type: "list", offsets: new Int32Array(1), items: keys } as const;
  return { type: "map", offsets: new Int32Array(count + 1), keys, values } as const;
}

function range(first: number, final: number): readonly number[] {
  return Array.from({ length: final - first + 1 }, (_, index) => first + index);
}
