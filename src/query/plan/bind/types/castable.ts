/** Which casts there are. */
import { isInteger, isTimestamp, sameType, type ValueType } from "#model/query/value-type.ts";
import { canCastParted, isParted } from "../nested-types.ts";
import { isNumeric } from "./common-type.ts";

/** Whether a cast from `source` to `target` exists; a bare NULL is any type's. */
export function canCast(source: ValueType, target: ValueType): boolean {
  if (source === "null" || sameType(source, target)) return true;
  if (isParted(source) || isParted(target)) return canCastParted(source, target, canCast);
  if (target === "null") return false;
  if (source === "string" || target === "string") return true;
  if (isNumeric(target)) return canCount(source, target);
  return canCastPlain(source, target);
}

/** Neither is text or nested, and `target` no number. */
function canCastPlain(source: ValueType, target: ValueType): boolean {
  if (isTimestamp(target)) return isNumeric(source) || isTimestamp(source) || source === "date";
  switch (target) {
    case "boolean":
      return isNumeric(source);
    case "date":
    case "time":
      return isInteger(source) || isTimestamp(source);
    case "duration":
      return isInteger(source) || source === "interval";
    case "interval":
      return source === "duration" || source === "time";
    default:
      return false;
  }
}

function canCount(source: ValueType, target: ValueType): boolean {
  if (isNumeric(source) || source === "boolean" || isTimestamp(source)) return true;
  const count = source === "date" || source === "time" || source === "duration";
  return count && isInteger(target);
}
