import type { LiteralValue } from "#model/query/expression.ts";
import type { ValueType } from "#model/query/value-type.ts";

/** One SQL statement as it was written: names are folded, nothing is looked up yet. */
export type Statement =
  | Query
  | {
      readonly kind: "explain";
      readonly analyze: boolean;
      readonly verbose: boolean;
      readonly query: Query;
    }
  | { readonly kind: "show_tables" }
  | { readonly kind: "show_all" }
  | { readonly kind: "show_columns"; readonly table: readonly string[] }
  | { readonly kind: "describe"; readonly table: readonly string[] }
  /** DESCRIBE of a query: the columns of its result. */
  | { readonly kind: "describe_query"; readonly query: Query };

export interface Query {
  readonly kind: "query";
  readonly with: readonly CommonTable[];
  /** WITH RECURSIVE: its tables may name themselves. */
  readonly recursive: boolean;
  readonly body: QueryBody;
  readonly orderBy: OrderBy;
  readonly limit: SqlExpression | undefined;
  readonly offset: SqlExpression | undefined;
}

/** A table of WITH. */
export interface CommonTable {
  readonly name: string;
  /** Names of its columns, of the first ones at least; empty where none are given. */
  readonly columns: readonly string[];
  readonly query: Query;
}

/** What gives rows; a `query` is one in parentheses, with an order or a limit of its own. */
export type QueryBody = Select | Values | SetOperation | Query;

export interface Values {
  readonly kind: "values";
  readonly rows: readonly (readonly SqlExpression[])[];
}

export interface SetOperation {
  readonly kind: "set";
  readonly operation: "union" | "intersect" | "except";
  readonly all: boolean;
  /** BY NAME: columns are paired by their names. */
  readonly byName: boolean;
  readonly left: QueryBody;
  readonly right: QueryBody;
}

export interface Select {
  readonly kind: "select";
  /** DISTINCT is "rows"; DISTINCT ON has its expressions. */
  readonly distinct: "none" | "rows" | readonly SqlExpression[];
  readonly items: readonly SelectItem[];
  /** Joined by commas; empty without FROM. */
  readonly from: readonly TableReference[];
  readonly where: SqlExpression | undefined;
  readonly groupBy: GroupBy;
  readonly having: SqlExpression | undefined;
  readonly windows: readonly NamedWindow[];
  readonly qualify: SqlExpression | undefined;
}

/** One of WINDOW name AS (…). */
export interface NamedWindow {
  readonly name: string;
  readonly window: WindowSpec;
}

/** GROUP BY ALL is "all": every column of the result that has no aggregate. Sets of several items multiply. */
export type GroupBy = "all" | readonly GroupItem[];

export type GroupItem =
  | { readonly kind: "expression"; readonly expression: SqlExpression }
  /** GROUPING SETS, ROLLUP and CUBE of what stands in their parentheses; `a` there is a set of one. */
  | {
      readonly kind: "sets" | "rollup" | "cube";
      readonly sets: readonly (readonly SqlExpression[])[];
    };

export type SelectItem =
  | {
      readonly kind: "expression";
      readonly expression: SqlExpression;
      readonly alias: string | undefined;
    }
  /** `*`, or `qualifier.*` with the parts of the qualifier; EXCEPT and EXCLUDE leave columns out. */
  | {
      readonly kind: "wildcard";
      readonly qualifier: readonly string[];
      readonly except: readonly string[];
      readonly replace: readonly { readonly expression: SqlExpression; readonly name: string }[];
    };

/** `AS name (columns)`; the columns are empty where none are given. */
export interface TableAlias {
  readonly name: string;
  readonly columns: readonly string[];
}

/** What FROM names. */
export type TableReference =
  /** One to three parts: table, schema.table, catalog.schema.table. */
  | {
      readonly kind: "table";
      readonly name: readonly string[];
      readonly alias: TableAlias | undefined;
    }
  | {
      readonly kind: "subquery";
      readonly query: Query;
      readonly lateral: boolean;
      readonly alias: TableAlias | undefined;
    }
  /** `generate_series(…)`, `last_cache('t')`. */
  | {
      readonly kind: "table_function";
      readonly name: string;
      readonly arguments: readonly SqlExpression[];
      readonly lateral: boolean;
      readonly alias: TableAlias | undefined;
    }
  | {
      readonly kind: "unnest";
      readonly lists: readonly SqlExpression[];
      readonly alias: TableAlias | undefined;
    }
  /** Rows are paired by nothing (`cross`), by equal names (`natural`), by the names of USING, or by ON. */
  | {
      readonly kind: "join";
      readonly join: JoinKind;
      readonly left: TableReference;
      readonly right: TableReference;
      readonly natural: boolean;
      readonly using: readonly string[];
      readonly on: SqlExpression | undefined;
    };

export type JoinKind =
  | "inner"
  | "left"
  | "right"
  | "full"
  | "cross"
  | "left_semi"
  | "right_semi"
  | "left_anti"
  | "right_anti";

export type OrderBy = readonly OrderItem[] | OrderByAll;

/** ORDER BY ALL: by every column of the result, from the first on. */
export interface OrderByAll {
  readonly kind: "all";
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface OrderItem {
  readonly expression: SqlExpression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export type BinaryOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "||"
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "~"
  | "~*"
  | "!~"
  | "!~*"
  | "&"
  | "|"
  | "^"
  | "<<"
  | ">>"
  | "@>"
  | "<@"
  | "IS DISTINCT FROM"
  | "IS NOT DISTINCT FROM";

export type SqlExpression =
  /** A column, with what qualifies it before it; or a member of a struct, with its column before it. */
  | { readonly kind: "column"; readonly path: readonly string[] }
  /** A bigint here is 0 to 2^64 - 1, bytes are of `X'…'`. */
  | { readonly kind: "literal"; readonly value: LiteralValue }
  | { readonly kind: "parameter"; readonly name: string }
  | { readonly kind: "negate" | "not"; readonly operand: SqlExpression }
  /** `#` is `^`: exclusive or. */
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: SqlExpression;
      readonly right: SqlExpression;
    }
  /** Two or more operands. */
  | { readonly kind: "and" | "or"; readonly operands: readonly SqlExpression[] }
  /** `operand IS [NOT] value`; UNKNOWN is of a boolean alone. */
  | {
      readonly kind: "is";
      readonly operand: SqlExpression;
      readonly value: null | boolean | "unknown";
      readonly negated: boolean;
    }
  | {
      readonly kind: "between";
      readonly operand: SqlExpression;
      readonly low: SqlExpression;
      readonly high: SqlExpression;
      readonly negated: boolean;
    }
  | {
      readonly kind: "in_list";
      readonly operand: SqlExpression;
      readonly list: readonly SqlExpression[];
      readonly negated: boolean;
    }
  | {
      readonly kind: "in_query";
      readonly operand: SqlExpression;
      readonly query: Query;
      readonly negated: boolean;
    }
  | { readonly kind: "exists"; readonly query: Query; readonly negated: boolean }
  /** `(SELECT …)` as a value. */
  | { readonly kind: "scalar_query"; readonly query: Query }
  /** `operand = ANY (SELECT …)`, `operand > ALL (SELECT …)`. */
  | {
      readonly kind: "quantified";
      readonly operator: BinaryOperator;
      readonly quantifier: "any" | "all";
      readonly operand: SqlExpression;
      readonly query: Query;
    }
  /** `escape` is one character; undefined where nothing is said, which is the backslash. */
  | {
      readonly kind: "like";
      readonly operand: SqlExpression;
      readonly pattern: SqlExpression;
      readonly style: "like" | "ilike" | "similar";
      readonly escape: string | undefined;
      readonly negated: boolean;
    }
  | {
      readonly kind: "case";
      readonly operand: SqlExpression | undefined;
      readonly branches: readonly {
        readonly when: SqlExpression;
        readonly result: SqlExpression;
      }[];
      readonly otherwise: SqlExpression | undefined;
    }
  | {
      readonly kind: "cast";
      readonly operand: SqlExpression;
      readonly type: ValueType;
      readonly safe: boolean;
    }
  | { readonly kind: "at_time_zone"; readonly operand: SqlExpression; readonly zone: SqlExpression }
  /** `list[1]`, `struct['member']`; `(struct).member` has the text of the name as its index. */
  | { readonly kind: "index"; readonly operand: SqlExpression; readonly index: SqlExpression }
  /** `list[from:to:step]`. */
  | {
      readonly kind: "slice";
      readonly operand: SqlExpression;
      readonly from: SqlExpression | undefined;
      readonly to: SqlExpression | undefined;
      readonly step: SqlExpression | undefined;
    }
  /** An argument with a name: `struct(v AS name)`, `f(name => v)`. */
  | { readonly kind: "named"; readonly name: string; readonly value: SqlExpression }
  | CallExpression;

/**
 * A call. What is written otherwise and means the same is one too: `[1, 2]` is `make_array(1, 2)`, `{a: 1}` `named_struct('a', 1)`,
 * `MAP {k: v}` `map(make_array(k), make_array(v))`, `(a, b)` `struct(a, b)`, `x = ANY (list)` `array_has(list, x)`.
 */
export interface CallExpression {
  readonly kind: "call";
  readonly name: string;
  readonly arguments: readonly SqlExpression[];
  /** `count(*)`: there are no arguments then. */
  readonly star: boolean;
  readonly distinct: boolean;
  /** ORDER BY within the parentheses, or of WITHIN GROUP. */
  readonly orderBy: readonly OrderItem[];
  readonly withinGroup: boolean;
  readonly filter: SqlExpression | undefined;
  readonly nulls: "respect" | "ignore" | undefined;
  /** OVER: the name of a window, or what it is. */
  readonly over: string | WindowSpec | undefined;
}

/** `[base] [PARTITION BY …] [ORDER BY …] [frame]`. */
export interface WindowSpec {
  /** The name of the window it builds on. */
  readonly base: string | undefined;
  readonly partitionBy: readonly SqlExpression[];
  readonly orderBy: readonly OrderItem[];
  readonly frame: SqlFrame | undefined;
}

/** A frame without an end ends at the current row. */
export interface SqlFrame {
  readonly unit: "rows" | "range" | "groups";
  readonly start: SqlFrameBound;
  readonly end: SqlFrameBound;
}

export type SqlFrameBound =
  | { readonly kind: "unbounded_preceding" | "current_row" | "unbounded_following" }
  | { readonly kind: "preceding" | "following"; readonly offset: SqlExpression };
