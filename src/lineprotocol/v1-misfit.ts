/** Why lines that can be read were not stored, in the words of InfluxDB 1. */

const CONFLICT = /^invalid column type for column '(.*)', expected (\S+), got (\S+)$/s;
const FIELD = "iox::column_type::field::";
const TAG = "iox::column_type::tag";
/** A limit is met, or the database takes only what was declared. */
const OTHER_MISFITS = /^Update to schema would exceed|uses explicit schemas/;

/** The reason of rows that are past their retention. */
export const V1_EXPIRED = "points beyond retention policy";

/** What is told of a write of which `droppedCount` rows were not stored. */
export function v1PartialWrite(reason: string, droppedCount: number | bigint): string {
  return `partial write: ${reason} dropped=${droppedCount}`;
}

/** Whether `message`, which refuses a line, says that a column is a tag to the one and a field to the other. */
export function isOfTwoKinds(message: string): boolean {
  const [, , expected, given] = CONFLICT.exec(message) ?? [];
  return (expected === TAG) !== (given === TAG);
}

/** Why a line of `measurement` that was refused with `message` does not fit its table; undefined where it is the line that is wrong. */
export function v1Misfit(message: string, measurement: string): string | undefined {
  const [, name = "", expected = "", given = ""] = CONFLICT.exec(message) ?? [];
  if (expected === "") return OTHER_MISFITS.test(message) ? message : undefined;
  const what = given === TAG ? "tag" : "field";
  const input = `input ${what} "${name}" on measurement "${measurement}"`;
  if (name === "time")
    return `invalid ${what === "tag" ? "tag key" : "field name"}: ${input} is invalid`;
  return `field type conflict: ${input} is type ${kindOf(given)}, already exists as type ${kindOf(expected)}`;
}

function kindOf(type: string): string {
  if (type === TAG) return "tag";
  return type.startsWith(FIELD) ? type.slice(FIELD.length).replace("uinteger", "unsigned") : type;
}
