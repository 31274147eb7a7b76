/** The nodes of a plan as engine SQL, each a SELECT over the SELECTs of its inputs, which have aliases of their own. */
import { assert, DbError } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import type { JoinPlan, Plan, WidePlan } from "#model/query/plan.ts";
import { printAggregate } from "./aggregate/aggregate.ts";
import { printGapFill } from "./aggregate/gapfill.ts";
import { printWindow } from "./aggregate/window.ts";
import { printExpression } from "./expression.ts";
import { sqlType } from "./literal.ts";
import type { Names } from "./names.ts";
import { printOrder } from "./order.ts";
import { orPlaceholder, type PrintContext, printScan } from "./scan.ts";

type PlanOf<Kind extends Plan["kind"]> = Extract<Plan, { kind: Kind }>;
/** What field `index` of a row is called. */
type RowName = (index: number) => string;
/** The rows around a subquery, the nearest first. */
type OuterRows = readonly RowName[];

/** The rows that a SELECT is over. */
export interface Rows {
  /** What stands after FROM. */
  readonly from: string;
  /** All of their columns. */
  readonly all: string;
  /** For expressions over them. */
  readonly names: Names;
}

/** The most characters of a plan: the engine takes many times as much memory to read them. */
export const PLAN_SIZE_MAX = 8 * 1024 * 1024;

const COUNT_MAX = 2n ** 63n - 1n;
const JOIN_WORDS = {
  inner: "JOIN",
  left: "LEFT JOIN",
  right: "RIGHT JOIN",
  full: "FULL JOIN",
} as const;
const SET_WORDS = { union: "UNION", intersect: "INTERSECT", except: "EXCEPT" } as const;

/** Prints one plan; its aliases are q1, q2 … */
export class NodePrinter {
  readonly #context: PrintContext;
  #aliasCount = 0;
  /** Of the texts that were counted: some that were joined, and grew by that, are here again. */
  #size = 0;

  constructor(context: PrintContext) {
    this.#context = context;
  }

  /** A SELECT of the fields of `plan` as c0, c1 … Throws `exceeded` / `expression_size` beyond PLAN_SIZE_MAX. */
  print(plan: Plan, outer: OuterRows): string {
    const text = this.#printNode(plan, outer);
    if (text.length > PLAN_SIZE_MAX) throw tooLarge();
    return text;
  }

  #printNode(plan: Plan, outer: OuterRows): string {
    switch (plan.kind) {
      case "scan":
        return printScan(plan, this.#context, this.#count);
      case "values":
        return printValues(plan, this.#names(noInput, outer));
      case "filter": {
        const { all, from, names } = this.#rows(plan.input, outer);
        return `SELECT ${all} FROM ${from} WHERE ${printExpression(plan.predicate, names)}`;
      }
      case "aggregate":
        return printAggregation(plan, this.#rows(plan.input, outer));
      case "project": {
        const { from, names } = this.#rows(plan.input, outer);
        return `SELECT ${printResults(plan.expressions, names)} FROM ${from}`;
      }
      case "sort": {
        const { all, from, names } = this.#rows(plan.input, outer);
        return `SELECT ${all} FROM ${from}${printOrder(plan.keys, names)}`;
      }
      case "limit":
        return printLimit(plan, this.#rows(plan.input, outer));
      default:
        return this.#printWide(plan, outer);
    }
  }

  #printWide(plan: WidePlan, outer: OuterRows): string {
    switch (plan.kind) {
      case "join":
        return this.#printJoin(plan, outer);
      case "set": {
        const word = `${SET_WORDS[plan.operation]}${plan.all ? " ALL" : ""}`;
        return plan.inputs.map((input) => `(${this.print(input, outer)})`).join(` ${word} `);
      }
      case "distinct_on":
        return this.#printDistinct(plan, outer);
      case "recursive": {
        const columns = orPlaceholder(plan.fields.map((_, index) => `c${index}`));
        const parts = [plan.base, plan.step].map((part) => `(${this.print(part, outer)})`);
        const rows = parts.join(plan.all ? " UNION ALL " : " UNION ");
        return `WITH RECURSIVE r${plan.id}(${columns}) AS (${rows}) SELECT * FROM r${plan.id}`;
      }
      case "working":
        return `SELECT * FROM r${plan.id}`;
      case "unnest":
        return printUnnest(plan, this.#rows(plan.input, outer));
      case "window":
        return printWindows(plan, this.#rows(plan.input, outer));
      case "gapfill":
        return printGapFill(plan, this.print(plan.input, outer));
    }
  }

  #printJoin(plan: JoinPlan, outer: OuterRows): string {
    const leftAlias = this.#alias();
    const rightAlias = this.#alias();
    const leftCount = plan.left.fields.length;
    const leftRow = rowOf(leftAlias);
    const row: RowName = (index) =>
      index < leftCount ? leftRow(index) : `${rightAlias}.c${index - leftCount}`;
    const left = `(${this.print(plan.left, outer)}) ${leftAlias}`;
    const inside = plan.lateral ? [leftRow, ...outer] : outer;
    const right = `${plan.lateral ? "LATERAL " : ""}(${this.print(plan.right, inside)}) ${rightAlias}`;
    const condition =
      plan.condition === undefined
        ? "TRUE"
        : printExpression(plan.condition, this.#names(row, outer));
    if (plan.join === "semi" || plan.join === "anti") {
      const not = plan.join === "anti" ? "NOT " : "";
      return `SELECT ${leftAlias}.* FROM ${left} WHERE ${not}EXISTS (SELECT 1 FROM ${right} WHERE ${condition})`;
    }
    const results = plan.fields.map((_, index) => `${row(index)} AS c${index}`);
    return `SELECT ${orPlaceholder(results)} FROM ${left} ${JOIN_WORDS[plan.join]} ${right} ON ${condition}`;
  }

  /** The engine takes the first in an order that stands beside it. */
  #printDistinct({ input, keys }: PlanOf<"distinct_on">, outer: OuterRows): string {
    const sort = input.kind === "sort" ? input : undefined;
    const { all, from, names } = this.#rows(sort?.input ?? input, outer);
    const by = keys.map((key) => printExpression(key, names)).join(", ");
    return `SELECT DISTINCT ON (${by}) ${all} FROM ${from}${printOrder(sort?.keys, names)}`;
  }

  #rows(plan: Plan, outer: OuterRows): Rows {
    const alias = this.#alias();
    const from = `(${this.print(plan, outer)}) ${alias}`;
    return { from, all: `${alias}.*`, names: this.#names(rowOf(alias), outer) };
  }

  #names(row: RowName, outer: OuterRows): Names {
    return {
      input: row,
      outer: (level, index) => {
        const found = outer[level - 1];
        assert(found !== undefined, `no row is ${level} subqueries out`);
        return found(index);
      },
      subquery: (plan) => this.print(plan, [row, ...outer]),
      count: this.#count,
    };
  }

  readonly #count = (text: string): void => {
    this.#size += text.length;
    if (this.#size > PLAN_SIZE_MAX) throw tooLarge();
  };

  #alias(): string {
    this.#aliasCount += 1;
    return `q${this.#aliasCount}`;
  }
}

function rowOf(alias: string): RowName {
  return (index) => `${alias}.c${index}`;
}

function tooLarge(): DbError {
  return new DbError("exceeded", "expression_size", "the expressions of the query are too large", {
    detail: { sizeMax: PLAN_SIZE_MAX },
  });
}

function noInput(): never {
  throw new DbError("internal", "assertion_failed", "values have no input");
}

function printResults(expressions: readonly Expression[], names: Names): string {
  return orPlaceholder(
    expressions.map((expression, index) => `${printExpression(expression, names)} AS c${index}`),
  );
}

function printValues({ fields, rows }: PlanOf<"values">, names: Names): string {
  const lists = rows.map((row) => {
    assert(row.length === fields.length, "a row of values has a cell for each field");
    return row.map((cell, index) => {
      const type = sqlType(fields[index]?.type ?? "null");
      return `CAST(${printExpression(cell, names)} AS ${type})`;
    });
  });
  if (lists.length === 0) {
    const nothing = fields.map(({ type }, index) => `CAST(NULL AS ${sqlType(type)}) AS c${index}`);
    return `SELECT ${orPlaceholder(nothing)} WHERE FALSE`;
  }
  const [only] = lists;
  // Beside a list of rows the engine takes no rows of subqueries around it.
  if (lists.length === 1 && only !== undefined)
    return `SELECT ${orPlaceholder(only.map((cell, index) => `${cell} AS c${index}`))}`;
  const columns = fields.length > 0 ? fields.map((_, index) => `c${index}`) : ["z"];
  const tuples = lists.map((cells) => `(${cells.length > 0 ? cells.join(", ") : "1"})`);
  return `SELECT * FROM (VALUES ${tuples.join(", ")}) v(${columns.join(", ")})`;
}

function printAggregation(plan: PlanOf<"aggregate">, { from, names }: Rows): string {
  const groups = plan.groups.map((group) => printExpression(group, names));
  const aggregates = plan.aggregates.map((call) => printAggregate(call, names));
  const results = [...groups, ...aggregates].map((text, index) => `${text} AS c${index}`);
  // Without groups and aggregates there is still one row.
  if (results.length === 0) return `SELECT count(*) AS z FROM ${from}`;
  return `SELECT ${results.join(", ")} FROM ${from}${printGroups(plan, groups, names)}`;
}

function printGroups(
  { groupingSets }: PlanOf<"aggregate">,
  groups: readonly string[],
  names: Names,
): string {
  if (groupingSets !== undefined) {
    const sets = groupingSets.map((set) => {
      const text = `(${set.map((place) => groups[place]).join(", ")})`;
      names.count(text);
      return text;
    });
    return ` GROUP BY GROUPING SETS (${sets.join(", ")})`;
  }
  return groups.length > 0 ? ` GROUP BY ${groups.map((_, index) => index + 1).join(", ")}` : "";
}

/** The engine fills shorter lists of a row with NULL. */
function printUnnest({ columns, fields, keepEmpty }: PlanOf<"unnest">, rows: Rows): string {
  const lists = new Set(columns);
  const results = fields.map((_, index) => {
    const cell = rows.names.input(index);
    if (!lists.has(index)) return `${cell} AS c${index}`;
    const list = keepEmpty
      ? `CASE WHEN coalesce(len(${cell}), 0) = 0 THEN [NULL] ELSE ${cell} END`
      : cell;
    return `unnest(${list}) AS c${index}`;
  });
  return `SELECT ${results.join(", ")} FROM ${rows.from}`;
}

function printWindows(plan: PlanOf<"window">, { all, from, names }: Rows): string {
  const first = plan.input.fields.length;
  const calls = plan.calls.map((call, index) => `${printWindow(call, names)} AS c${first + index}`);
  return `SELECT ${[all, ...calls].join(", ")} FROM ${from}`;
}

function printLimit(plan: PlanOf<"limit">, { all, from }: Rows): string {
  const count = plan.countMax === undefined ? "" : ` LIMIT ${atMost(plan.countMax)}`;
  const offset = plan.offset > 0n ? ` OFFSET ${atMost(plan.offset)}` : "";
  return `SELECT ${all} FROM ${from}${count}${offset}`;
}

function atMost(count: bigint): bigint {
  return count < COUNT_MAX ? count : COUNT_MAX;
}
