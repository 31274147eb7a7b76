/** The functions of model/query/functions/number.ts as engine SQL. */
import type { NumberFunction } from "#model/query/functions/number.ts";
import { INTEGER_RANGES, isInteger, type ValueType } from "#model/query/value-type.ts";
import { printError } from "../cast.ts";
import { NAN, sqlType } from "../literal.ts";
import { printLet } from "./let.ts";
import { type CallPrinter, infix, named, type Printers } from "./printer.ts";

const FACTORIAL_MAX = 20;
/** More factors than a number has bits make too great a number. */
const FACTOR_COUNT_MAX = 64;

export const NUMBER: Printers<NumberFunction> = {
  cbrt: named("cbrt"),
  signum: ([a = ""]) => `(CASE WHEN isnan(${a}) THEN ${NAN} ELSE CAST(sign(${a}) AS DOUBLE) END)`,
  acos: within("acos"),
  acosh: named("acosh"),
  asin: within("asin"),
  asinh: named("asinh"),
  atan: named("atan"),
  atanh: within("atanh"),
  atan2: named("atan2"),
  cosh: named("cosh"),
  cot: ([a = ""]) => `(CASE WHEN isinf(${a}) THEN ${NAN} ELSE 1 / tan(${a}) END)`,
  degrees: named("degrees"),
  radians: named("radians"),
  sinh: named("sinh"),
  tanh: named("tanh"),
  nanvl: ([a = "", b = ""]) =>
    `(CASE WHEN ${b} IS NOT NULL THEN CASE WHEN isnan(${a}) THEN ${b} ELSE ${a} END END)`,
  trunc_to: ([a = "", digits = ""]) => `(trunc(${a} * pow(10, ${digits})) / pow(10, ${digits}))`,
  round_float32: ([a = "", digits = ""]) => {
    const scale = `CAST(pow(10, ${digits}) AS FLOAT)`;
    return `CAST(round(${a} * ${scale}) / ${scale} AS FLOAT)`;
  },
  random: () => "random()",
  isnan: named("isnan"),
  iszero: ([a = ""]) => `(${a} = 0)`,
  factorial: ([a = ""]) =>
    `(CASE WHEN ${a} > ${FACTORIAL_MAX} THEN ${failing("number_overflow", "int64")} WHEN ${a} IS NOT NULL THEN CAST(factorial(CAST(greatest(${a}, 0) AS INTEGER)) AS BIGINT) END)`,
  gcd: ofWide("gcd"),
  lcm: ofWide("lcm"),
  integer_power: (args) => printLet(args, printIntegerPower),
  bit_and: infix("&"),
  bit_or: infix("|"),
  bit_xor: named("xor"),
  shift_left: shift("*"),
  shift_right: shift("//"),
};

/** The engine refuses numbers beyond 1. */
function within(name: string): CallPrinter {
  return ([a = ""]) => `(CASE WHEN abs(${a}) > 1 THEN ${NAN} ELSE ${name}(${a}) END)`;
}

/** The engine's own overflow in silence. */
function ofWide(name: string): CallPrinter {
  return (args) => {
    const operands = args.map((arg) => `CAST(${arg} AS HUGEINT)`);
    return `CAST(${name}(${operands.join(", ")}) AS BIGINT)`;
  };
}

function failing(code: string, type: ValueType): string {
  return `CAST(${printError(code)} AS ${sqlType(type)})`;
}

/** The engine's own is of floats, exact up to 2^53 only. More than 64 factors other than 0, 1 and -1 overflow in any case. */
function printIntegerPower(a = "", b = ""): string {
  const factors = `list_transform(range(least(${b}, ${FACTOR_COUNT_MAX})), lambda i: CAST(${a} AS HUGEINT))`;
  const product = `list_reduce(${factors}, lambda x, y: x * y, CAST(1 AS HUGEINT))`;
  const unit = `CASE WHEN ${a} = -1 THEN CASE WHEN ${b} % 2 = 0 THEN 1 ELSE -1 END ELSE ${a} END`;
  const branches = [
    `WHEN ${a} IS NULL OR ${b} IS NULL THEN NULL`,
    `WHEN ${b} < 0 THEN ${failing("argument_invalid", "int64")}`,
    `WHEN ${a} BETWEEN -1 AND 1 AND ${b} > 0 THEN ${unit}`,
  ];
  return `(CASE ${branches.join(" ")} ELSE CAST(${product} AS BIGINT) END)`;
}

/** Times or by a power of two, in 128 bits: the engine's own shifts refuse what is lost, and negative numbers. */
function shift(operator: "*" | "//"): CallPrinter {
  return ([value = "", count = ""], { type }) => {
    const [least, greatest] = isInteger(type) ? INTEGER_RANGES[type] : INTEGER_RANGES.int64;
    const size = greatest - least + 1n;
    const bits = size.toString(2).length - 1;
    const power = `CAST(pow(2, (CAST(${count} AS HUGEINT) % ${bits} + ${bits}) % ${bits}) AS HUGEINT)`;
    const wide = `CAST(${value} AS HUGEINT)`;
    // Halves are rounded down, as bits go.
    if (operator === "//") {
      const floored = `(${wide} - CASE WHEN ${wide} < 0 THEN ${power} - 1 ELSE 0 END) // ${power}`;
      return `CAST(${floored} AS ${sqlType(type)})`;
    }
    const wrapped = `((${wide} * ${power} - ${least}) % ${size} + ${size}) % ${size} + ${least}`;
    return `CAST(${wrapped} AS ${sqlType(type)})`;
  };
}
