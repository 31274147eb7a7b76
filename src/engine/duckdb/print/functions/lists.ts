/** The functions of lists in model/query/functions/nested.ts as engine SQL. */
import { LIST_LENGTH_MAX, type NestedFunction } from "#model/query/functions/nested.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { printError } from "../cast.ts";
import { sqlType } from "../literal.ts";
import { printShift } from "../time.ts";
import { printLet } from "./let.ts";
import { argument, type Call, type CallPrinter, literalOf, type Printers } from "./printer.ts";

type ListFunction = Extract<NestedFunction, `${string}list${string}` | "month_series">;

const TOO_LONG = printError("list_too_long");
const BAD_ARGUMENT = printError("list_argument");
/** What a count that leaves nothing out is printed as. */
const ALL = `CAST(${2n ** 63n - 1n} AS BIGINT)`;

export const LISTS: Printers<ListFunction> = {
  make_list: (args, { type }) => `CAST([${args.join(", ")}] AS ${sqlType(type)})`,
  list_concat: printConcat,
  list_repeat: letting(
    (item, count) =>
      `CASE WHEN ${count} > ${LIST_LENGTH_MAX} THEN ${TOO_LONG} WHEN ${count} IS NOT NULL THEN list_transform(range(${count}), lambda i: ${item}) END`,
  ),
  list_series: printSeries,
  month_series: printMonthSeries,
  text_to_list: printTextToList,
  list_element: ([list = "", index = ""]) => `list_extract(${list}, ${index})`,
  list_slice: (args, call) =>
    isPlainSlice(call)
      ? `list_slice(${args.join(", ")})`
      : printLet(args, (...names) => printSlice(...names)),
  list_any_value: ([list = ""]) => `list_filter(${list}, lambda x: x IS NOT NULL)[1]`,
  list_max: ([list = ""]) => `list_max(${list})`,
  list_min: ([list = ""]) => `list_min(${list})`,
  list_length: printLength,
  list_dims: printDims,
  list_cardinality: (args, call) => `CAST(list_product(${printDims(args, call)}) AS UBIGINT)`,
  list_is_empty: ([list = ""]) => `(len(${list}) = 0)`,
  list_distance: letting(
    (a, b) =>
      `CASE WHEN len(${a}) <> len(${b}) THEN ${BAD_ARGUMENT} WHEN len(${a}) = 0 THEN CAST(0 AS DOUBLE) ELSE list_distance(${a}, ${b}) END`,
  ),
  list_to_text: printListToText,
  list_has: ([list = "", item = ""]) => `list_contains(${list}, ${item})`,
  list_has_all: letting(
    (a, b) => `(list_has_all(${a}, ${b}) AND (${hasNull(a)} OR NOT ${hasNull(b)}))`,
  ),
  list_has_any: letting(
    (a, b) => `(list_has_any(${a}, ${b}) OR (${hasNull(a)} AND ${hasNull(b)}))`,
  ),
  list_position: letting(
    (list, item, from) =>
      `CASE WHEN ${list} IS NULL THEN NULL WHEN ${from} < 1 OR ${from} > greatest(len(${list}), 1) THEN ${BAD_ARGUMENT} ELSE CAST(list_position(${list}[${from}:], ${item}) + ${from} - 1 AS UBIGINT) END`,
  ),
  list_positions: letting((list, item) => `CAST(${positions(list, item)} AS UBIGINT[])`),
  list_distinct: letting(printDistinct),
  list_union: letting(
    (a, b) =>
      `list_concat(coalesce(${printDistinct(a)}, []), list_filter(${printDistinct(b)}, lambda x: ${a} IS NULL OR list_position(${a}, x) IS NULL))`,
  ),
  list_intersect: letting(
    (a, b) =>
      `coalesce(list_filter(${printDistinct(b)}, lambda x: list_position(${a}, x) IS NOT NULL), [])`,
  ),
  list_except: letting(
    (a, b) =>
      `list_filter(${a}, lambda x, i: list_position(${a}, x) = i AND (${b} IS NULL OR list_position(${b}, x) IS NULL))`,
  ),
  list_remove: (args) =>
    printLet(args, (list = "", item = "", count = "") =>
      printLet(
        [list, item, lastChanged(list, item, count)],
        (l, e, last) =>
          `list_filter(${l}, lambda x, i: x IS DISTINCT FROM ${e}${count === ALL ? "" : ` OR i > ${last}`})`,
      ),
    ),
  list_replace: (args) =>
    printLet(args, (list = "", item = "", other = "", count = "") =>
      printLet(
        [list, item, other, lastChanged(list, item, count)],
        (l, e, o, last) =>
          `list_transform(${l}, lambda x, i: CASE WHEN x IS DISTINCT FROM ${e}${count === ALL ? "" : ` OR i > ${last}`} THEN x ELSE ${o} END)`,
      ),
    ),
  list_resize: letting(
    (list, length, item) =>
      `CASE WHEN ${length} < 0 THEN ${BAD_ARGUMENT} WHEN ${length} > ${LIST_LENGTH_MAX} THEN ${TOO_LONG} WHEN ${list} IS NOT NULL THEN list_resize(${list}, coalesce(${length}, 0), ${item}) END`,
  ),
  list_reverse: ([list = ""]) => `list_reverse(${list})`,
  list_sort: ([list = ""], call) => {
    const [descending, nullsFirst] = [literalOf(call, 1), literalOf(call, 2)];
    return `list_sort(${list}, '${descending === true ? "DESC" : "ASC"}', 'NULLS ${nullsFirst === true ? "FIRST" : "LAST"}')`;
  },
  list_flatten: ([list = ""]) => `flatten(${list})`,
};

/** A function whose arguments its printer names more than once. */
function letting(body: (...names: readonly string[]) => string): CallPrinter {
  return (args) => printLet(args, (...names) => body(...names));
}

/** The engine takes NULL for an empty list. */
function printConcat(args: readonly string[]): string {
  return printLet(args, (...lists) => {
    const known = lists.map((list) => `${list} IS NULL`).join(" AND ");
    return `CASE WHEN ${known} THEN NULL ELSE list_concat(${lists.join(", ")}) END`;
  });
}

function printSeries(args: readonly string[], call: Call): string {
  const inclusive = literalOf(call, 3) === true;
  return printLet(args.slice(0, 3), (start, stop, step) => {
    const length = `((CAST(${stop} AS HUGEINT) - ${start}) // nullif(${step}, 0))`;
    const values = `${inclusive ? "generate_series" : "range"}(${start}, ${stop}, ${step})`;
    return `CASE WHEN ${step} = 0 THEN ${BAD_ARGUMENT} WHEN ${length} > ${LIST_LENGTH_MAX} THEN ${TOO_LONG} ELSE ${values} END`;
  });
}

/** Months have many lengths: one more than fit if all had 28 days, without those beyond the end. */
function printMonthSeries(
  [start = "", stop = "", months = "", rest = ""]: readonly string[],
  call: Call,
): string {
  const inclusive = literalOf(call, 4) === true;
  return printLet([start, stop, months, rest], (from, to, m = "", n = "") => {
    const shortest = `(CAST(${m} AS HUGEINT) * 28 * 86400000000000 + ${n})`;
    const length = `((CAST(${to} AS HUGEINT) - ${from}) // ${shortest})`;
    const at = printShift(
      from ?? "",
      1,
      { kind: "input", index: 0, type: "interval" },
      `{'m': k * ${m}, 'n': k * ${n}}`,
    );
    const before = `CASE WHEN ${shortest} > 0 THEN t ${inclusive ? "<=" : "<"} ${to} ELSE t ${inclusive ? ">=" : ">"} ${to} END`;
    const values = `list_filter(list_transform(range(CAST(${length} + 1 AS BIGINT)), lambda k: ${at}), lambda t: ${before})`;
    return `CASE WHEN ${shortest} = 0 THEN ${BAD_ARGUMENT} WHEN ${length} > ${LIST_LENGTH_MAX} THEN ${TOO_LONG} WHEN ${length} < 0 THEN [] ELSE ${values} END`;
  });
}

function printTextToList(args: readonly string[]): string {
  return printLet(args, (text, delimiter, missing) => {
    const parts = `CASE WHEN ${delimiter} = '' THEN [${text}] ELSE string_split(${text}, coalesce(${delimiter}, '')) END`;
    const list =
      missing === undefined ? parts : `list_transform(${parts}, lambda x: nullif(x, ${missing}))`;
    return `CASE WHEN ${text} IS NOT NULL THEN ${list} END`;
  });
}

/** Whether the engine's own slice does: with constant places, and forward. */
function isPlainSlice(call: Call): boolean {
  const bounds = [1, 2, 3].map((index) => literalOfKind(call, index));
  return bounds.every((bound) => bound !== undefined) && (bounds[2] ?? 0n) > 0n;
}

/** The places of both ends, from 0 as they lie in the list; nothing lies between places outside. */
function printSlice(list = "", from = "", to = "", step = ""): string {
  const start = `CASE WHEN ${from} < 0 THEN greatest(${from} + len(${list}), 0) ELSE greatest(${from} - 1, 0) END`;
  const end = `CASE WHEN ${to} < 0 THEN ${to} + len(${list}) ELSE least(${to} - 1, len(${list}) - 1) END`;
  const empty = `list_slice(${list}, 1, 0)`;
  const slice = printLet(
    [list, start, end, step],
    (l, a, b, s) =>
      `CASE WHEN ${a} >= len(${l}) OR ${b} < 0 OR ${b} >= len(${l}) THEN ${empty} WHEN ${s} = 0 THEN ${BAD_ARGUMENT} WHEN ${a} < ${b} AND ${s} < 0 OR ${a} > ${b} AND ${s} > 0 THEN ${empty} ELSE list_slice(${l}, ${a} + 1, ${b} + 1, ${s}) END`,
  );
  return `CASE WHEN ${[list, from, to, step].map((name) => `${name} IS NOT NULL`).join(" AND ")} THEN ${slice} END`;
}

function printLength([list = "", dimension = ""]: readonly string[], call: Call): string {
  const known = literalOfKind(call, 1);
  return printLet([list, dimension], (l = "", d = "") => {
    const lengths = lengthsOf(l, argument(call, 0).type);
    if (known !== undefined) return `CAST(${lengths[Number(known) - 1] ?? "NULL"} AS UBIGINT)`;
    const cases = lengths.map((length, index) => `WHEN ${index + 1} THEN ${length}`).join(" ");
    return `CAST(CASE ${d} ${cases} END AS UBIGINT)`;
  });
}

function printDims([list = ""]: readonly string[], call: Call): string {
  return printLet([list], (l = "") => {
    const lengths = lengthsOf(l, argument(call, 0).type).map((length) => `coalesce(${length}, 0)`);
    return `CASE WHEN len(${l}) > 0 THEN CAST([${lengths.join(", ")}] AS UBIGINT[]) END`;
  });
}

/** How long a list, its first list, and so on are. */
function lengthsOf(list: string, type: ValueType): string[] {
  if (typeof type === "string" || type.kind !== "list") return [];
  return [`len(${list})`, ...lengthsOf(`${list}[1]`, type.item)];
}

function literalOfKind(call: Call, index: number): bigint | undefined {
  const found = argument(call, index);
  return found.kind === "literal" && typeof found.value === "bigint" ? found.value : undefined;
}

/** The engine joins with a constant alone. */
function printListToText(args: readonly string[], call: Call): string {
  const constant = argument(call, 1).kind === "literal";
  return printLet(args, (list, delimiter, missing) => {
    const present = `list_filter(${list}, lambda x: x IS NOT NULL)`;
    const texts =
      missing === undefined
        ? present
        : `list_transform(${list}, lambda x: coalesce(x, ${missing}))`;
    const kept =
      missing === undefined
        ? texts
        : `CASE WHEN ${missing} IS NULL THEN ${present} ELSE ${texts} END`;
    const joined = constant
      ? `coalesce(array_to_string(${kept}, ${delimiter}), '')`
      : printLet(
          [kept, delimiter ?? ""],
          (l, d) =>
            `CASE WHEN len(${l}) = 0 THEN '' ELSE list_reduce(${l}, lambda a, x: a || ${d} || x) END`,
        );
    return `CASE WHEN ${list} IS NOT NULL AND ${delimiter} IS NOT NULL THEN ${joined} END`;
  });
}

function hasNull(list: string | undefined): string {
  return `(list_position(${list}, NULL) IS NOT NULL)`;
}

/** The engine leaves NULL out. */
function printDistinct(list = ""): string {
  const others = `list_sort(list_distinct(${list}))`;
  return `CASE WHEN ${hasNull(list)} THEN list_concat([NULL], ${others}) ELSE ${others} END`;
}

function positions(list = "", item = ""): string {
  const places = `list_transform(${list}, lambda x, i: CASE WHEN x IS NOT DISTINCT FROM ${item} THEN i END)`;
  return `list_filter(${places}, lambda i: i IS NOT NULL)`;
}

/** The place of the last of `count` items that are `item`; the list's length where there are fewer. */
function lastChanged(list: string, item: string, count: string): string {
  if (count === ALL) return ALL;
  return `CASE WHEN coalesce(${count}, 0) < 1 THEN 0 ELSE coalesce(${positions(list, item)}[${count}], len(${list})) END`;
}
