/** Casts of lists, structs and maps: what lies in them is cast one by one. */
import type { ValueType } from "#model/query/value-type.ts";
import type { CastRequest } from "../cast.ts";
import { printLet } from "../functions/let.ts";
import { printText, sqlType } from "../literal.ts";

type PrintCast = (request: CastRequest) => string;

export function isParted(type: ValueType): boolean {
  return typeof type === "object" && ["list", "struct", "map"].includes(type.kind);
}

/** One of both types is a list, a struct or a map; `printCast` prints casts of any types. */
export function printPartedCast(request: CastRequest, printCast: PrintCast): string {
  const { operand, source, target, safe } = request;
  if (target === "string") return printPartedText(operand, source, printCast);
  const cast = (part: string, from: ValueType, to: ValueType) =>
    printCast({ operand: part, source: from, target: to, safe });
  if (typeof source === "object" && typeof target === "object") {
    if (source.kind === "list" && target.kind === "list") {
      return `list_transform(${operand}, lambda x: ${cast("x", source.item, target.item)})`;
    }
    if (source.kind === "struct" && target.kind === "struct") {
      return printLet([operand], (struct) => {
        const members = target.members.map(({ type }, index) => {
          const from = source.members[index]?.type ?? "null";
          return `'f${index}': ${cast(`(${struct}).f${index}`, from, type)}`;
        });
        return `CASE WHEN ${struct} IS NOT NULL THEN {${members.join(", ")}} END`;
      });
    }
    if (source.kind === "map" && target.kind === "map") {
      return printLet([operand], (map) => {
        const keys = `list_transform(map_keys(${map}), lambda x: ${cast("x", source.key, target.key)})`;
        const values = `list_transform(map_values(${map}), lambda x: ${cast("x", source.value, target.value)})`;
        return `CASE WHEN ${map} IS NOT NULL THEN map(${keys}, ${values}) END`;
      });
    }
  }
  return `CAST(${operand} AS ${sqlType(target)})`;
}

/** As Arrow shows it: `[1, 2]`, `{a: 1}`; NULL within is empty. */
function printPartedText(operand: string, source: ValueType, printCast: PrintCast): string {
  if (typeof source !== "object") return operand;
  const text = (part: string, type: ValueType) =>
    `coalesce(${printCast({ operand: part, source: type, target: "string", safe: false })}, '')`;
  return printLet([operand], (value) => {
    let inner = "''";
    if (source.kind === "list") {
      inner = `'[' || coalesce(array_to_string(list_transform(${value}, lambda x: ${text("x", source.item)}), ', '), '') || ']'`;
    } else if (source.kind === "struct") {
      const members = source.members.map(({ name, type }, index) => {
        return `${printText(`${name}: `)} || ${text(`(${value}).f${index}`, type)}`;
      });
      inner = `'{' || ${members.join(" || ', ' || ")} || '}'`;
    } else if (source.kind === "map") {
      const pair = `${text("e.key", source.key)} || ': ' || ${text("e.value", source.value)}`;
      inner = `'{' || coalesce(array_to_string(list_transform(map_entries(${value}), lambda e: ${pair}), ', '), '') || '}'`;
    }
    return `CASE WHEN ${value} IS NOT NULL THEN ${inner} END`;
  });
}
