import type { LiteralValue } from "#model/query/expression.ts";
import type { ValueType } from "#model/query/value-type.ts";

/** One SQL statement as it was written: names are folded, nothing is looked up yet. */
export type Statement =
  | Query
  | { readonly kind: "show_tables" }
  | { readonly kind: "show_columns"; readonly table: readonly string[] };

export interface Query {
  readonly kind: "query";
  readonly body: QueryBody;
  readonly orderBy: readonly OrderItem[];
  readonly limit: SqlExpression | undefined;
  readonly offset: SqlExpression | undefined;
}

/** What gives rows; set operations and VALUES will be kinds of their own. */
export type QueryBody = Select;

export interface Select {
  readonly kind: "select";
  readonly distinct: boolean;
  readonly items: readonly SelectItem[];
  readonly from: TableReference | undefined;
  readonly where: SqlExpression | undefined;
  readonly groupBy: readonly SqlExpression[];
  readonly having: SqlExpression | undefined;
}

export type SelectItem =
  | {
      readonly kind: "expression";
      readonly expression: SqlExpression;
      readonly alias: string | undefined;
    }
  /** `*`, or `qualifier.*` with the parts of the qualifier. */
  | { readonly kind: "wildcard"; readonly qualifier: readonly string[] };

/** What FROM names; joins and subqueries will be kinds of their own. */
export type TableReference = {
  readonly kind: "table";
  /** One to three parts: table, schema.table, catalog.schema.table. */
  readonly name: readonly string[];
  readonly alias: string | undefined;
};

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
  | "IS DISTINCT FROM"
  | "IS NOT DISTINCT FROM";

export type SqlExpression =
  /** A column, with what qualifies it before it. */
  | { readonly kind: "column"; readonly path: readonly string[] }
  /** A bigint here is 0 to 2^64 - 1. */
  | { readonly kind: "literal"; readonly value: LiteralValue }
  | { readonly kind: "parameter"; readonly name: string }
  | { readonly kind: "negate" | "not"; readonly operand: SqlExpression }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: SqlExpression;
      readonly right: SqlExpression;
    }
  /** Two or more operands. */
  | { readonly kind: "and" | "or"; readonly operands: readonly SqlExpression[] }
  /** `operand IS [NOT] value`. */
  | {
      readonly kind: "is";
      readonly operand: SqlExpression;
      readonly value: null | boolean;
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
      readonly kind: "like";
      readonly operand: SqlExpression;
      readonly pattern: SqlExpression;
      readonly ignoreCase: boolean;
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
  | CallExpression;

export interface CallExpression {
  readonly kind: "call";
  readonly name: string;
  readonly arguments: readonly SqlExpression[];
  /** `count(*)`: there are no arguments then. */
  readonly star: boolean;
  readonly distinct: boolean;
  readonly orderBy: readonly OrderItem[];
  readonly filter: SqlExpression | undefined;
}
