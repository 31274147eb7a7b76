/** The syntax tree of InfluxQL, the language of InfluxDB 1. Names are as they were written; nothing is looked up yet. */

export type InfluxQlStatement =
  | SelectStatement
  | ExplainStatement
  | ShowStatement
  | DatabaseStatement
  | UserStatement
  | ContinuousQueryStatement
  | DeletingStatement
  | KillQueryStatement;

export interface SelectStatement {
  readonly kind: "select";
  readonly fields: readonly SelectField[];
  readonly into: MeasurementTarget | undefined;
  readonly from: readonly Source[];
  readonly where: Expression | undefined;
  readonly groupBy: readonly Dimension[];
  readonly fill: Fill;
  /** ORDER BY time; ascending where nothing is said. */
  readonly descending: boolean;
  /** 0: no limit. The same of all four. */
  readonly limit: number;
  readonly offset: number;
  readonly seriesLimit: number;
  readonly seriesOffset: number;
  /** An IANA name, or UTC. */
  readonly zone: string | undefined;
}

export interface SelectField {
  readonly expression: Expression;
  readonly alias: string | undefined;
}

/** Where SELECT INTO writes; without a measurement, `:MEASUREMENT`: that of each source. */
export interface MeasurementTarget {
  readonly database: string | undefined;
  readonly retentionPolicy: string | undefined;
  readonly measurement: string | undefined;
}

export type Source =
  | MeasurementSource
  | { readonly kind: "subquery"; readonly select: SelectStatement };

export interface MeasurementSource {
  readonly kind: "measurement";
  /** Undefined or empty (`..m`): what the request says. */
  readonly database: string | undefined;
  /** Undefined or empty: the database's default. */
  readonly retentionPolicy: string | undefined;
  readonly name: NameMatch;
}

/** WITH MEASUREMENT as it is written: 1.x takes it as its name says, whatever the operator and the path. */
export interface MeasurementMatch {
  readonly operator: "=" | "=~";
  readonly source: MeasurementSource;
}

/** A name, or all names in which a regular expression (RE2's syntax, without its slashes) finds something. */
export type NameMatch =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "regex"; readonly pattern: string };

/** GROUP BY: a tag, `*`, a regular expression, `time(…)`; anything else is refused by checks, not by the grammar. */
export interface Dimension {
  readonly expression: Expression;
}

export type Fill =
  | { readonly kind: "null" | "none" | "previous" | "linear" }
  | { readonly kind: "number"; readonly value: number; readonly integer: boolean };

export type Expression =
  | VariableExpression
  | { readonly kind: "wildcard"; readonly type: "field" | "tag" | undefined }
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly Expression[] }
  | DistinctExpression
  | BinaryExpression
  | { readonly kind: "parenthesized"; readonly expression: Expression }
  | LiteralExpression;

export interface VariableExpression {
  readonly kind: "variable";
  /** Dots of `a.b` are part of the name. */
  readonly name: string;
  /** What stands behind `::`. */
  readonly cast: CastType | undefined;
}

export type CastType = "float" | "integer" | "unsigned" | "string" | "boolean" | "tag" | "field";

/** `DISTINCT name`; `distinct(name)` is a call. */
export interface DistinctExpression {
  readonly kind: "distinct";
  readonly name: string;
}

export interface BinaryExpression {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}

export type BinaryOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "&"
  | "|"
  | "^"
  | "AND"
  | "OR"
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "=~"
  | "!~";

export type LiteralExpression =
  /** `unsigned` alone lies above the greatest integer. */
  | { readonly kind: "integer" | "unsigned"; readonly value: bigint }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  /** Nanoseconds. */
  | { readonly kind: "duration"; readonly value: bigint }
  /** Nanoseconds since the Unix epoch: a bound parameter, or what checks made of a string. */
  | { readonly kind: "time"; readonly value: bigint }
  | { readonly kind: "regex"; readonly pattern: string }
  | { readonly kind: "list"; readonly items: readonly string[] };

export interface ExplainStatement {
  readonly kind: "explain";
  readonly analyze: boolean;
  readonly select: SelectStatement;
}

/** What every SHOW of data may say. */
interface ShowClauses {
  /** ON; undefined: what the request says. */
  readonly database: string | undefined;
  readonly from: readonly MeasurementSource[];
  readonly where: Expression | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** WITH KEY. `in` has at least one key. */
export type TagKeyMatch =
  | { readonly kind: "equal" | "not_equal"; readonly key: string }
  | { readonly kind: "in"; readonly keys: readonly string[] }
  | { readonly kind: "match" | "no_match"; readonly pattern: string };

export type ShowStatement =
  | {
      readonly kind: "show";
      readonly what:
        | "continuous_queries"
        | "databases"
        | "queries"
        | "shard_groups"
        | "shards"
        | "subscriptions"
        | "users";
    }
  | {
      readonly kind: "show";
      readonly what: "diagnostics" | "stats";
      readonly module: string | undefined;
    }
  | { readonly kind: "show"; readonly what: "grants"; readonly user: string }
  | {
      readonly kind: "show";
      readonly what: "retention_policies";
      readonly database: string | undefined;
    }
  | ({
      readonly kind: "show";
      readonly what: "measurements";
      /** WITH MEASUREMENT. */
      readonly measurement: MeasurementMatch | undefined;
    } & Omit<ShowClauses, "from">)
  | ({ readonly kind: "show"; readonly what: "field_keys" | "series" | "tag_keys" } & ShowClauses &
      SeriesClauses)
  | ({
      readonly kind: "show";
      readonly what: "tag_values";
      readonly key: TagKeyMatch;
    } & ShowClauses)
  | ({
      readonly kind: "show";
      readonly what:
        | "field_key_cardinality"
        | "measurement_cardinality"
        | "series_cardinality"
        | "tag_key_cardinality";
      readonly exact: boolean;
      readonly groupBy: readonly Dimension[];
    } & ShowClauses)
  | ({
      readonly kind: "show";
      readonly what: "tag_values_cardinality";
      readonly exact: boolean;
      readonly key: TagKeyMatch;
      readonly groupBy: readonly Dimension[];
    } & ShowClauses);

/** Of SHOW TAG KEYS alone; 0 elsewhere. */
interface SeriesClauses {
  readonly seriesLimit: number;
  readonly seriesOffset: number;
}

/** What CREATE and ALTER say of a retention policy; undefined: nothing is said. Durations in nanoseconds, 0 for ever. */
export interface RetentionPolicyOptions {
  readonly durationNs: bigint | undefined;
  readonly replication: number | undefined;
  readonly shardDurationNs: bigint | undefined;
  readonly isDefault: boolean;
}

export type DatabaseStatement =
  | {
      readonly kind: "create_database";
      readonly name: string;
      /** WITH …; undefined: without. */
      readonly policy: (RetentionPolicyOptions & { readonly name: string | undefined }) | undefined;
    }
  | { readonly kind: "drop_database"; readonly name: string }
  | {
      readonly kind: "create_retention_policy" | "alter_retention_policy";
      readonly name: string;
      readonly database: string;
      readonly options: RetentionPolicyOptions;
    }
  | { readonly kind: "drop_retention_policy"; readonly name: string; readonly database: string }
  | {
      readonly kind: "create_subscription";
      readonly name: string;
      readonly database: string;
      readonly retentionPolicy: string;
      readonly mode: "ALL" | "ANY";
      readonly destinations: readonly string[];
    }
  | {
      readonly kind: "drop_subscription";
      readonly name: string;
      readonly database: string;
      readonly retentionPolicy: string;
    };

export type Privilege = "READ" | "WRITE" | "ALL PRIVILEGES";

export type UserStatement =
  | {
      readonly kind: "create_user";
      readonly name: string;
      readonly password: string;
      readonly admin: boolean;
    }
  | { readonly kind: "drop_user"; readonly name: string }
  | { readonly kind: "set_password"; readonly name: string; readonly password: string }
  /** Without a database: of the administrator. */
  | {
      readonly kind: "grant" | "revoke";
      readonly privilege: Privilege;
      readonly database: string | undefined;
      readonly user: string;
    };

export type ContinuousQueryStatement =
  | {
      readonly kind: "create_continuous_query";
      readonly name: string;
      readonly database: string;
      /** RESAMPLE EVERY and FOR, in nanoseconds; 0 where nothing is said. */
      readonly resampleEveryNs: bigint;
      readonly resampleForNs: bigint;
      readonly select: SelectStatement;
    }
  | { readonly kind: "drop_continuous_query"; readonly name: string; readonly database: string };

export type DeletingStatement =
  | {
      readonly kind: "delete" | "drop_series";
      readonly from: readonly MeasurementSource[];
      readonly where: Expression | undefined;
    }
  | { readonly kind: "drop_measurement"; readonly name: string }
  | { readonly kind: "drop_shard"; readonly id: bigint };

export interface KillQueryStatement {
  readonly kind: "kill_query";
  readonly id: bigint;
  readonly host: string | undefined;
}
