/** docs/openapi.json as tests read it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string | undefined;
  /** Whether it is for bearers of tokens alone. */
  readonly isSecured: boolean;
  readonly parameters: readonly Parameter[];
  /** Of each media type that its body may have. */
  readonly bodyExamples: Readonly<Record<string, unknown>>;
  /** By status: the media types of the body; none where there is no body. */
  readonly answers: ReadonlyMap<number, readonly string[]>;
}

export interface Parameter {
  readonly name: string;
  readonly in: "query" | "header" | "path";
  readonly required: boolean;
  readonly example: string | undefined;
}

type Json = Readonly<Record<string, unknown>>;

const METHODS = ["get", "head", "post", "put", "patch", "delete"];
const root = JSON.parse(
  readFileSync(new URL("../docs/openapi.json", import.meta.url), "utf8"),
) as Json;

/** Every operation, in the order of the document. */
export function operations(): readonly Operation[] {
  return Object.entries(objectOf(root["paths"])).flatMap(([path, given]) => {
    const item = resolved(given);
    const shared = arrayOf(item["parameters"]);
    return Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => operationOf(method, path, objectOf(operation), shared));
  });
}

/** Every reference that leads nowhere. */
export function deadReferences(value: unknown = root): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(deadReferences);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]): readonly string[] => {
    if (name !== "$ref") return deadReferences(inner);
    return typeof inner === "string" && target(inner) !== undefined ? [] : [String(inner)];
  });
}

function operationOf(
  method: string,
  path: string,
  operation: Json,
  shared: readonly unknown[],
): Operation {
  const { operationId, requestBody, responses, security } = operation;
  assert.ok(operationId === undefined || typeof operationId === "string");
  assert.equal(typeof operation["summary"], "string", `${method} ${path} says what it does`);
  const content = objectOf(objectOf(requestBody)["content"]);
  return {
    method: method.toUpperCase(),
    path,
    operationId,
    isSecured: !(Array.isArray(security) && security.length === 0),
    parameters: [...shared, ...arrayOf(operation["parameters"])].map(parameterOf),
    bodyExamples: Object.fromEntries(
      Object.entries(content).map(([type, media]) => [type, objectOf(media)["example"]]),
    ),
    answers: new Map(
      Object.entries(objectOf(responses)).map(([status, response]) => [
        Number(status),
        Object.keys(objectOf(resolved(response)["content"])),
      ]),
    ),
  };
}

function parameterOf(given: unknown): Parameter {
  const { name, in: place, required, example } = resolved(given);
  assert.ok(typeof name === "string");
  assert.ok(place === "query" || place === "header" || place === "path");
  assert.ok(example === undefined || typeof example === "string");
  return { name, in: place, required: required === true, example };
}

function resolved(value: unknown): Json {
  const object = objectOf(value);
  const { $ref: reference } = object;
  return typeof reference === "string" ? resolved(target(reference)) : object;
}

/** What `#/a/b` leads to. */
function target(reference: string): unknown {
  const names = reference.split("/").slice(1);
  return names.reduce<unknown>((value, name) => objectOf(value)[name], root);
}

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
