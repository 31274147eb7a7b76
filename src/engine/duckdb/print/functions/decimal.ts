/** Arithmetic of decimals as engine SQL, with the digits of `call.type`. */
import type { DecimalType, ValueType } from "#model/query/value-type.ts";
import { printError } from "../cast.ts";
import { sqlType } from "../literal.ts";
import { printLet } from "./let.ts";
import { argument, type Call } from "./printer.ts";

export function isDecimal(type: ValueType): type is DecimalType {
  return typeof type === "object" && type.kind === "decimal";
}

/** A sum, a difference or a product. */
export function printDecimal(operator: string, args: readonly string[], { type }: Call): string {
  return `CAST((${args.join(` ${operator} `)}) AS ${sqlType(type)})`;
}

/** A quotient, cut at the last digit of `call.type`, or what is left of whole ones. The engine's own are floats. */
export function printDecimalQuotient(
  [a = "", b = ""]: readonly string[],
  call: Call,
  kept: "quotient" | "rest",
): string {
  const type = call.type;
  if (!isDecimal(type)) return "NULL";
  const scales = [0, 1].map((index) => scaleOf(argument(call, index).type));
  const scaleMax = Math.max(...scales);
  const [ownA = 0, ownB = 0] = scales;
  // Both as whole numbers: of one scale for a rest, else so that the quotient has the scale of the result.
  const shiftA = kept === "rest" ? scaleMax - ownA : type.scale - ownA + ownB;
  const shiftB = kept === "rest" ? scaleMax - ownB : 0;
  const operands = [printUnscaled(a, ownA, shiftA), printUnscaled(b, ownB, shiftB)];
  return printLet(operands, (one, other) => {
    const failure = `CASE WHEN ${one} IS NOT NULL THEN ${printError("divide_by_zero")} END`;
    const divisor = `CASE WHEN ${other} = 0 THEN CAST(${failure} AS HUGEINT) ELSE ${other} END`;
    return printScaled(`${one} ${kept === "rest" ? "%" : "//"} ${divisor}`, type);
  });
}

function scaleOf(type: ValueType): number {
  return isDecimal(type) ? type.scale : 0;
}

function printUnscaled(value: string, scale: number, shift: number): string {
  const wide = `CAST(${value} AS DECIMAL(38, ${scale})) * CAST(${10n ** BigInt(scale)} AS DECIMAL(38, 0))`;
  return `CAST(${wide} AS HUGEINT) * CAST(${10n ** BigInt(shift)} AS HUGEINT)`;
}

function printScaled(whole: string, type: DecimalType): string {
  const unit = type.scale === 0 ? "1" : `0.${"1".padStart(type.scale, "0")}`;
  const factor = `CAST('${unit}' AS DECIMAL(${Math.min(38, type.scale + 1)}, ${type.scale}))`;
  return `CAST(CAST(${whole} AS DECIMAL(38, 0)) * ${factor} AS ${sqlType(type)})`;
}
