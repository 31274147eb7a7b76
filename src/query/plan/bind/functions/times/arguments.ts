/** Arguments of functions of time. */
import type { Expression } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import { isTimestamp, type ValueType } from "#model/query/value-type.ts";
import { findZone, type Zone } from "#model/time/zone.ts";
import { coerce } from "../../coerce.ts";
import { planningError } from "../../errors.ts";
import { type Literal, literal } from "../../fold.ts";
import { partsOf } from "../../types/common-type.ts";
import type { CallContext } from "../builder.ts";

export type UnitNames = ReadonlyMap<string, string>;

/** Argument `index` as a timestamp of its own unit and zone; dates and text are read as one. */
export function timestampOf(
  operands: readonly Expression[],
  index: number,
  context: CallContext,
): Expression {
  const operand = operands[index] ?? literal(null, "null");
  if (isTimestamp(operand.type)) return operand;
  if (operand.type === "string" || operand.type === "null" || operand.type === "date") {
    return coerce(operand, "timestamp");
  }
  throw planningError(
    `Function '${context.name}' expects a timestamp but received ${typeText(operand.type)}`,
  );
}

/** The first argument, which is the constant name of a unit. */
export function unitOf(
  operands: readonly Expression[],
  units: UnitNames,
  context: CallContext,
): Literal {
  const [operand] = operands;
  const text = operand?.kind === "literal" ? operand.value : undefined;
  const unit = typeof text === "string" ? units.get(text.toLowerCase()) : undefined;
  if (unit !== undefined) return literal(unit, "string");
  const known = [...new Set(units.values())].join(", ");
  throw planningError(`Function '${context.name}' needs a constant unit first, one of ${known}`);
}

/** The constant name of a time zone, and what it is. */
export function zoneOf(
  operand: Expression,
  name: string,
): { readonly text: string; readonly zone: Zone } {
  const text = operand.kind === "literal" ? operand.value : undefined;
  if (typeof text !== "string") throw planningError(`${name} needs a constant time zone`);
  const zone = findZone(text);
  if (zone === undefined) {
    throw planningError(
      `Invalid timezone "${text.slice(0, 100)}": it is no name of a zone and no offset such as +01:00`,
    );
  }
  return { text, zone };
}

export function zoneNameOf(type: ValueType): string | undefined {
  return isTimestamp(type) ? partsOf(type).zone : undefined;
}

/** Each name in the singular and the plural. */
export function unitNames(names: string): Map<string, string> {
  return new Map(
    names.split(" ").flatMap((name): [string, string][] => [
      [name, name],
      [`${name}s`, name],
    ]),
  );
}
