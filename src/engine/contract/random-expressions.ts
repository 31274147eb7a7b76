/** Random expressions that end without an error on small values. */
import type { Expression } from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { below, type Random } from "#ports/random.ts";
import {
  bool,
  call,
  castTo,
  float,
  input,
  int,
  interval,
  literal,
  text,
  time,
  uint,
} from "./build.ts";

/** The types that random rows and expressions have. */
export const RANDOM_TYPES = [
  "boolean",
  "int64",
  "uint64",
  "float64",
  "string",
  "timestamp",
] as const satisfies readonly ValueType[];
export type RandomType = (typeof RANDOM_TYPES)[number];

const HOUR_NS = 3_600_000_000_000n;
export const RANDOM_TEXTS = [
  "",
  "a",
  "A",
  "b",
  "ab",
  "é",
  "～",
  "😀",
  "it's",
  " a ",
  "a%",
  "twelve chars+",
];
const PATTERNS = ["%", "a%", "%a%", "_", "a_", "a\\%", "é", "it's"];
const REGEXPS = ["a", "^a", "b$", "[aé]", "^.$", "(?i)A"];
const UNITS = ["hour", "day", "week", "month", "year"];
const PARTS = ["year", "month", "day", "hour", "dow", "doy", "week"];
const COMPARISONS = [
  "equal",
  "not_equal",
  "less",
  "less_equal",
  "greater",
  "greater_equal",
  "is_distinct",
  "is_not_distinct",
] as const satisfies readonly ScalarFunction[];

/** A column that an expression may name. */
export interface RandomInput {
  readonly index: number;
  readonly type: ValueType;
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[below(random, choices.length)] as T;
}

/** A text of RANDOM_TEXTS, a number below 21, a time in the first days of 1970, or what `type` asks for. */
export function randomLiteral(random: Random, type: RandomType): Expression {
  if (below(random, 10) === 0) return literal(type, null);
  switch (type) {
    case "boolean":
      return bool(below(random, 2) === 0);
    case "int64":
      return int(below(random, 41) - 20);
    case "uint64":
      return uint(below(random, 21));
    case "float64":
      return float((below(random, 81) - 40) / 4);
    case "string":
      return text(pick(random, RANDOM_TEXTS));
    case "timestamp":
      return time(BigInt(below(random, 20) - 5) * 7n * HOUR_NS);
  }
}

/** Random expressions over `inputs`. */
export class ExpressionMaker {
  readonly #random: Random;
  readonly #inputs: readonly RandomInput[];

  constructor(random: Random, inputs: readonly RandomInput[]) {
    this.#random = random;
    this.#inputs = inputs;
  }

  /** Calls at most `depth` deep. */
  make(type: RandomType, depth: number): Expression {
    if (depth === 0 || this.#chance(4)) return this.#leaf(type);
    if (this.#chance(4)) return this.#choice(type, depth - 1);
    switch (type) {
      case "boolean":
        return this.#boolean(depth - 1);
      case "int64":
        return this.#int(depth - 1);
      case "uint64":
        return call(type, pick(this.#random, ["greatest", "least"]), ...this.#two(type, depth - 1));
      case "float64":
        return this.#float(depth - 1);
      case "string":
        return this.#string(depth - 1);
      case "timestamp":
        return this.#timestamp(depth - 1);
    }
  }

  #leaf(type: RandomType): Expression {
    const fitting = this.#inputs.filter((one) => one.type === type);
    if (fitting.length === 0 || this.#chance(4)) return randomLiteral(this.#random, type);
    return input(pick(this.#random, fitting).index, type);
  }

  #choice(type: RandomType, depth: number): Expression {
    const [left, right] = this.#two(type, depth);
    if (this.#chance(2)) {
      const name = pick(this.#random, ["coalesce", "nullif", "greatest", "least"] as const);
      return call(type, name, left, right);
    }
    const when = this.make("boolean", depth);
    return { kind: "case", branches: [{ when, result: left }], otherwise: right, type };
  }

  #boolean(depth: number): Expression {
    const random = this.#random;
    switch (below(random, 7)) {
      case 0:
        return call("boolean", pick(random, ["and", "or"]), ...this.#two("boolean", depth));
      case 1:
        return call("boolean", "not", this.make("boolean", depth));
      case 2:
        return call("boolean", pick(random, ["is_null", "is_not_null"]), this.#any(depth));
      case 3:
        return this.#member(depth);
      case 4:
        return this.#match(depth);
      default: {
        const type = pick(random, RANDOM_TYPES);
        return call("boolean", pick(random, COMPARISONS), ...this.#two(type, depth));
      }
    }
  }

  #member(depth: number): Expression {
    const type = pick(this.#random, RANDOM_TYPES);
    const operand = this.make(type, depth);
    const list = [0, 1, 2].map(() => randomLiteral(this.#random, type));
    return { kind: "in", operand, list, type: "boolean" };
  }

  #match(depth: number): Expression {
    const operand = this.make("string", depth);
    const name = pick(this.#random, ["like", "ilike", "regexp_like", "starts_with", "ends_with"]);
    const patterns =
      name === "regexp_like" ? REGEXPS : name.endsWith("like") ? PATTERNS : RANDOM_TEXTS;
    return call("boolean", name as ScalarFunction, operand, text(pick(this.#random, patterns)));
  }

  #int(depth: number): Expression {
    const random = this.#random;
    switch (below(random, 7)) {
      case 0:
        return call("int64", pick(random, ["divide", "modulo"]), this.make("int64", depth), int(3));
      case 1:
        return call("int64", pick(random, ["negate", "abs"]), this.make("int64", depth));
      case 2:
        return call("int64", "length", this.make("string", depth));
      case 3:
        return call("int64", "strpos", ...this.#two("string", depth));
      case 4: {
        const at = this.make("timestamp", depth);
        return call("int64", "date_part", text(pick(random, PARTS)), at);
      }
      case 5:
        return castTo("int64", this.make(pick(random, ["float64", "boolean", "uint64"]), depth));
      default: {
        const name = pick(random, ["add", "subtract", "multiply"] as const);
        return call("int64", name, ...this.#two("int64", depth));
      }
    }
  }

  #float(depth: number): Expression {
    const random = this.#random;
    switch (below(random, 4)) {
      case 0: {
        const name = pick(random, ["negate", "abs", "floor", "ceil", "round", "trunc"] as const);
        return call("float64", name, this.make("float64", depth));
      }
      case 1:
        return castTo("float64", this.make(pick(random, ["int64", "uint64"]), depth));
      default: {
        const name = pick(random, ["add", "subtract", "multiply"] as const);
        return call("float64", name, ...this.#two("float64", depth));
      }
    }
  }

  #string(depth: number): Expression {
    const random = this.#random;
    const operand = this.make("string", depth);
    switch (below(random, 6)) {
      case 0: {
        const name = pick(random, ["trim", "ltrim", "rtrim"] as const);
        return call("string", name, operand);
      }
      case 1:
        return call("string", "substr", operand, int(below(random, 5) - 1), int(below(random, 4)));
      case 2:
        return call("string", pick(random, ["left", "right"]), operand, int(below(random, 5) - 2));
      case 3:
        return call("string", "replace", operand, text("a"), this.make("string", depth));
      case 4:
        return castTo("string", this.make(pick(random, ["int64", "boolean", "timestamp"]), depth));
      default: {
        const name = pick(random, ["concat", "concat_operator"] as const);
        return call("string", name, operand, this.make("string", depth));
      }
    }
  }

  #timestamp(depth: number): Expression {
    const random = this.#random;
    const at = this.make("timestamp", depth);
    const length = this.#chance(2)
      ? interval(1 + below(random, 14), 0n)
      : interval(0, BigInt(1 + below(random, 30)) * HOUR_NS);
    switch (below(random, 3)) {
      case 0:
        return call("timestamp", "date_bin", length, at, time(HOUR_NS));
      case 1:
        return call("timestamp", "date_trunc", text(pick(random, UNITS)), at);
      default:
        return call("timestamp", pick(random, ["add_interval", "subtract_interval"]), at, length);
    }
  }

  #any(depth: number): Expression {
    return this.make(pick(this.#random, RANDOM_TYPES), depth);
  }

  #two(type: RandomType, depth: number): [Expression, Expression] {
    return [this.make(type, depth), this.make(type, depth)];
  }

  /** True once in `count` times. */
  #chance(count: number): boolean {
    return below(this.#random, count) === 0;
  }
}
