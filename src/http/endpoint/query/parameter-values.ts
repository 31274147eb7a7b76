import { DbError } from "#base/errors.ts";
import type { LiteralValue } from "#model/query/expression.ts";
import {
  isJsonObject,
  type JsonValue,
  type Parameters,
  parseJson,
  typeText,
} from "../../exchange/parameters.ts";

type BoundValues = Readonly<Record<string, LiteralValue>>;

/** The values of `params`: an object in a JSON body, the text of one in a query string. */
export function boundParameters(parameters: Parameters): BoundValues {
  const given = parameters.value("params");
  if (given === undefined || given === "") return {};
  const value = typeof given === "string" ? parseJson(given) : given;
  if (!isJsonObject(value)) throw parameters.wrong(notMap(value));
  return valuesOf(value);
}

function valuesOf(value: { readonly [name: string]: JsonValue }): BoundValues {
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, boundValue(item)] as const),
  );
}

function boundValue(value: JsonValue): LiteralValue {
  if (typeof value !== "object" || value === null) return value;
  throw new DbError(
    "invalid",
    "query_parameter",
    `JSON ${Array.isArray(value) ? "arrays" : "objects"} are not supported as query parameters. Expected null, boolean, number, or string.`,
  );
}

function notMap(value: JsonValue): string {
  return `invalid type: ${typeText(value)}, expected a map of query parameters`;
}
