/** SELECTs written shortly, and what InfluxDB 1.6.7 was given when it was asked the same. */
import assert from "node:assert/strict";
import type { Fill } from "../ast.ts";
import type {
  Input,
  Output,
  OutputExpression,
  PointType,
  ReducerInput,
  ReducerName,
  ResolvedSelect,
  TransformName,
  VariableInput,
} from "../resolved.ts";
import { testRows, testSelect } from "./test-points.ts";

/** Of table m, two series; of table tie, three series that have the same times. */
export const ROWS = testRows(`
m,h=a v=1,i=1i,s="x",b=true 1
m,h=a v=3,i=4i 12
m,h=a v=2,i=3i,s="y" 21
m,h=a v=10,i=5i,b=false 55
m,h=b v=5,i=7i,s="z" 5
m,h=b v=7,i=7i,b=true 12
m,h=b w=5 33
tie,h=a v=1,s="a",b=true,i=1i 10
tie,h=b v=2,s="b",b=false,i=2i 10
tie,h=c v=0,s="c",b=true,i=0i 10
tie,h=a v=1,s="a",b=true,i=1i 20
tie,h=b v=2,s="b",b=false,i=2i 20
tie,h=c v=0,s="c",b=true,i=0i 20`);

const TYPES: Readonly<Record<string, PointType>> = {
  v: "float",
  w: "float",
  i: "integer",
  s: "string",
  b: "boolean",
  h: "tag",
};
const SAME: ReadonlySet<string> = new Set([
  "sum",
  "min",
  "max",
  "first",
  "last",
  "mode",
  "distinct",
  "top",
  "bottom",
  "sample",
  "spread",
]);

export function field(name: string): VariableInput {
  return { kind: "variable", name, type: TYPES[name] ?? "float" };
}

/** `mean v`, `percentile v 50`, `top i 3 h`, `count distinct i`. */
function reducer(text: string): ReducerInput {
  const [name = "", ...rest] = text.split(" ");
  const distinct = name === "count" && rest[0] === "distinct";
  const [argument = "", parameter, ...keys] = distinct ? rest.slice(1) : rest;
  const type = name === "count" ? "integer" : "float";
  return {
    kind: "reducer",
    name: name as ReducerName,
    argument: field(argument),
    distinct,
    parameter: parameter === undefined ? undefined : Number(parameter),
    keys: keys.map(field),
    type: SAME.has(name) ? field(argument).type : type,
  };
}

type Parts = Partial<Omit<ResolvedSelect, "fill">> & { readonly fill?: string };

/** One output of each text: `mean v`, `difference | mean v`, `.h`, `v`. */
export function calls(texts: readonly string[], { fill, ...parts }: Parts = {}): ResolvedSelect {
  const inputs: Input[] = [];
  const outputs = texts.map((text): Output => {
    return { name: text, type: undefined, expression: parse(text, inputs) };
  });
  return testSelect({
    inputs,
    outputs,
    ...(fill !== undefined && { fill: fillOf(fill) }),
    ...parts,
  });
}

/** `difference | mean v`, `derivative 1000000000 | v`, `.h`: of the chosen row, `v`: a field. */
function parse(text: string, inputs: Input[]): OutputExpression {
  const bar = text.indexOf(" | ");
  if (bar >= 0) {
    const [name, ...parameters] = text.slice(0, bar).split(" ");
    return {
      kind: "transform",
      name: name as TransformName,
      argument: parse(text.slice(bar + 3), inputs),
      parameters: parameters.map(BigInt),
    };
  }
  if (text.startsWith(".")) return { kind: "beside", input: field(text.slice(1)) };
  const input = text in TYPES ? field(text) : reducer(text);
  return { kind: "input", index: inputs.push(input) - 1 };
}

function fillOf(text: string): Fill {
  const value = Number(text);
  if (!Number.isNaN(value)) return { kind: "number", value, integer: Number.isInteger(value) };
  return { kind: text as "none" | "previous" | "linear" | "null" };
}

/** Equal but for the last digits of numbers. */
export function assertClose(actual: string, expected: string): void {
  const [left, right] = [actual.split(/[ ,]+/), expected.split(/[ ,]+/)];
  const close =
    left.length === right.length &&
    left.every((cell, index) => {
      const other = right[index] ?? "";
      const [a, b] = [Number(cell), Number(other)];
      return cell === other || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
    });
  if (!close) assert.equal(actual, expected);
}
