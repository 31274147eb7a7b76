/** Functions of one row, by example: what they answer, or the code of the error. */
import assert from "node:assert/strict";
import { DbError } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import type { Bench, Cell, ContractCases } from "./bench.ts";
import { assertSameList, bool, call, float, int, none, text, uint, valuesOf } from "./build.ts";

/** An expression and its value, or `{ code }` of the error it ends with. */
export type Example = readonly [expression: Expression, answer: Cell | { readonly code: string }];

const INT_MAX = 2n ** 63n - 1n;
const INT_MIN = -(2n ** 63n);
const UINT_MAX = 2n ** 64n - 1n;
const OVERFLOW = { code: "number_overflow" };
const BY_ZERO = { code: "divide_by_zero" };
const NAN = float(Number.NaN);
const INFINITE = float(Number.POSITIVE_INFINITY);

const ARITHMETIC: readonly Example[] = [
  [call("int64", "add", int(2), int(-5)), -3n],
  [call("int64", "add", int(INT_MAX), int(0)), INT_MAX],
  [call("int64", "add", int(INT_MAX), int(1)), OVERFLOW],
  [call("uint64", "add", uint(2n ** 63n), uint(1)), 2n ** 63n + 1n],
  [call("uint64", "add", uint(UINT_MAX), uint(1)), OVERFLOW],
  [call("float64", "add", float(0.5), float(0.25)), 0.75],
  [call("int64", "subtract", int(INT_MIN), int(1)), OVERFLOW],
  [call("uint64", "subtract", uint(1), uint(2)), OVERFLOW],
  [call("int64", "multiply", int(-3), int(4)), -12n],
  [call("int64", "multiply", int(2n ** 62n), int(2)), OVERFLOW],
  [call("uint64", "multiply", uint(2n ** 62n), uint(3)), 3n * 2n ** 62n],
  [call("int64", "divide", int(7), int(2)), 3n],
  [call("int64", "divide", int(-7), int(2)), -3n],
  [call("int64", "divide", int(2n ** 62n + 1n), int(1)), 2n ** 62n + 1n],
  [call("int64", "divide", int(1), int(0)), BY_ZERO],
  [call("uint64", "divide", uint(UINT_MAX), uint(2)), 2n ** 63n - 1n],
  [call("uint64", "divide", uint(1), uint(0)), BY_ZERO],
  [call("float64", "divide", float(7), float(2)), 3.5],
  [call("float64", "divide", float(1), float(0)), Number.POSITIVE_INFINITY],
  [call("float64", "divide", float(-1), float(0)), Number.NEGATIVE_INFINITY],
  [call("float64", "divide", float(0), float(0)), Number.NaN],
  [call("int64", "modulo", int(7), int(4)), 3n],
  [call("int64", "modulo", int(-7), int(4)), -3n],
  [call("int64", "modulo", int(1), int(0)), BY_ZERO],
  [call("float64", "modulo", float(-7.5), float(2)), -1.5],
  [call("float64", "modulo", float(1), float(0)), Number.NaN],
  [call("int64", "negate", int(5)), -5n],
  [call("int64", "negate", int(INT_MIN)), OVERFLOW],
  [call("float64", "negate", float(1.5)), -1.5],
  [call("int64", "abs", int(-5)), 5n],
  [call("int64", "abs", int(INT_MIN)), OVERFLOW],
  [call("uint64", "abs", uint(UINT_MAX)), UINT_MAX],
  [call("float64", "abs", float(-0.5)), 0.5],
  [call("int64", "add", int(1), none("int64")), null],
  [call("int64", "divide", none("int64"), int(0)), null],
];

const COMPARISON: readonly Example[] = [
  [call("boolean", "equal", int(1), int(1)), true],
  [call("boolean", "equal", text("a"), text("A")), false],
  [call("boolean", "not_equal", text("a"), none("string")), null],
  [call("boolean", "less", uint(1), uint(UINT_MAX)), true],
  [call("boolean", "less", text("～"), text("😀")), true],
  [call("boolean", "less", text("a"), text("ab")), true],
  [call("boolean", "less", bool(false), bool(true)), true],
  [call("boolean", "less_equal", float(1), float(1)), true],
  [call("boolean", "greater", NAN, INFINITE), true],
  [call("boolean", "equal", NAN, NAN), true],
  [call("boolean", "equal", float(-0), float(0)), true],
  [call("boolean", "greater_equal", int(INT_MIN), int(INT_MAX)), false],
  [call("boolean", "is_distinct", int(1), none("int64")), true],
  [call("boolean", "is_distinct", none("int64"), none("int64")), false],
  [call("boolean", "is_distinct", int(1), int(1)), false],
  [call("boolean", "is_not_distinct", none("string"), none("string")), true],
  [call("boolean", "is_not_distinct", text("a"), text("b")), false],
];

const [YES, NO, UNKNOWN] = [bool(true), bool(false), none("boolean")];
const LOGIC: readonly Example[] = [
  [call("boolean", "and", YES, YES), true],
  [call("boolean", "and", YES, UNKNOWN), null],
  [call("boolean", "and", UNKNOWN, NO), false],
  [call("boolean", "and", YES, YES, NO), false],
  [call("boolean", "or", NO, NO), false],
  [call("boolean", "or", NO, UNKNOWN), null],
  [call("boolean", "or", UNKNOWN, YES), true],
  [call("boolean", "or", NO, NO, YES), true],
  [call("boolean", "not", NO), true],
  [call("boolean", "not", UNKNOWN), null],
  [call("boolean", "is_null", UNKNOWN), true],
  [call("boolean", "is_null", text("")), false],
  [call("boolean", "is_not_null", int(0)), true],
];

const MATHEMATICS: readonly Example[] = [
  [call("float64", "ceil", float(-1.5)), -1],
  [call("float64", "floor", float(-1.5)), -2],
  [call("float64", "trunc", float(-1.9)), -1],
  [call("float64", "round", float(2.5)), 3],
  [call("float64", "round", float(-2.5)), -3],
  [call("float64", "round", float(1.25), int(1)), 1.3],
  [call("float64", "round", float(-1.25), int(1)), -1.3],
  [call("float64", "round", float(1250), int(-2)), 1300],
  [call("float64", "round", INFINITE), Number.POSITIVE_INFINITY],
  [call("float64", "sqrt", float(2)), Math.SQRT2],
  [call("float64", "sqrt", float(-1)), Number.NaN],
  [call("float64", "ln", float(Math.E)), 1],
  [call("float64", "ln", float(0)), Number.NEGATIVE_INFINITY],
  [call("float64", "ln", float(-1)), Number.NaN],
  [call("float64", "log10", float(1000)), 3],
  [call("float64", "log10", float(0)), Number.NEGATIVE_INFINITY],
  [call("float64", "log2", float(8)), 3],
  [call("float64", "log2", float(-8)), Number.NaN],
  [call("float64", "exp", float(1)), Math.E],
  [call("float64", "exp", float(1000)), Number.POSITIVE_INFINITY],
  [call("float64", "power", float(2), float(10)), 1024],
  [call("float64", "power", float(-8), float(0.5)), Number.NaN],
  [call("float64", "power", float(0), float(-1)), Number.POSITIVE_INFINITY],
  [call("float64", "sin", float(1)), Math.sin(1)],
  [call("float64", "cos", float(1)), Math.cos(1)],
  [call("float64", "tan", float(1)), Math.tan(1)],
  [call("float64", "sin", INFINITE), Number.NaN],
  [call("float64", "sqrt", none("float64")), null],
];

const CHOICE: readonly Example[] = [
  [call("int64", "coalesce", none("int64"), int(2), int(3)), 2n],
  [call("string", "coalesce", none("string"), none("string")), null],
  [call("int64", "greatest", int(1), none("int64"), int(3)), 3n],
  [call("float64", "greatest", float(1), NAN), Number.NaN],
  [call("string", "least", text("b"), text("a"), none("string")), "a"],
  [call("string", "least", none("string"), none("string")), null],
  [call("int64", "nullif", int(1), int(1)), null],
  [call("int64", "nullif", int(1), int(2)), 1n],
  [call("int64", "nullif", int(1), none("int64")), 1n],
  [call("int64", "nullif", none("int64"), int(1)), null],
  [branches(bool(false)), "other"],
  [branches(none("boolean")), "other"],
  [branches(bool(true)), "first"],
  [member(int(2), int(1), int(2)), true],
  [member(int(3), int(1), int(2)), false],
  [member(int(3), int(1), none("int64")), null],
  [member(int(1), int(1), none("int64")), true],
  [member(none("int64"), int(1)), null],
];

export const SCALAR_CASES: ContractCases = {
  ...exampleCases("arithmetic", ARITHMETIC),
  ...exampleCases("comparison", COMPARISON),
  ...exampleCases("logic", LOGIC),
  ...exampleCases("mathematics", MATHEMATICS),
  ...exampleCases("choice", CHOICE),
};

/** One case: every example answers as it says. */
export function exampleCases(what: string, examples: readonly Example[]): ContractCases {
  return {
    [`${what} answers as in the examples`]: async (bench) => {
      const failures: string[] = [];
      for (const example of examples) {
        const failure = await failureOf(bench, example);
        if (failure !== undefined) failures.push(failure);
      }
      assert.deepEqual(failures, []);
    },
  };
}

async function failureOf(bench: Bench, [expression, answer]: Example): Promise<string | undefined> {
  try {
    const rows = await bench.rows(valuesOf([expression]));
    if (isError(answer)) return `${show(expression)} answered ${show(rows[0]?.[0])}`;
    assertSameList(rows, [[answer]]);
    return undefined;
  } catch (error) {
    if (isError(answer) && error instanceof DbError && error.code === answer.code) {
      return error.kind === "invalid" ? undefined : `${show(expression)} is ${error.kind}`;
    }
    return `${show(expression)}: ${String(error)}`;
  }
}

function isError(answer: Example[1]): answer is { readonly code: string } {
  return typeof answer === "object" && answer !== null && "code" in answer;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "bigint") return `${part}n`;
    return typeof part === "number" && !Number.isFinite(part) ? String(part) : part;
  });
}

function branches(when: Expression): Expression {
  const result = text("first");
  return { kind: "case", branches: [{ when, result }], otherwise: text("other"), type: "string" };
}

function member(operand: Expression, ...list: readonly Expression[]): Expression {
  return { kind: "in", operand, list, type: "boolean" };
}
