/** The one door to the validation library: values from outside are decoded once, here, into types of ours. */
import * as v from "valibot";
import { DbError } from "./errors.ts";

export { v };

/** A bigint; `toJson` carries it as its decimal digits. */
export const bigintText = v.union([
  v.bigint(),
  v.pipe(
    v.string(),
    v.regex(/^-?\d+$/),
    v.transform((text) => BigInt(text)),
  ),
]);

/** JSON of `value`, bigints as text. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "bigint" ? String(part) : part,
  );
}

/** `value` as `schema` describes it; throws `corrupt` / `record_malformed` that names `what` where it is something else. */
export function decodeStored<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  what: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new DbError(
    "corrupt",
    "record_malformed",
    `${what}: ${v.getDotPath(issue) ?? "it"}: ${issue.message}`,
    { detail: { what } },
  );
}
