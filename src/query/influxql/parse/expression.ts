import { assert } from "#base/errors.ts";
import type { BinaryOperator, CastType, Expression, LiteralExpression } from "../ast.ts";
import { INT64_MAX, INT64_MIN } from "../operators.ts";
import { parseSegments } from "./names.ts";
import { type Cursor, HEIGHT_MAX } from "./tokens/cursor.ts";
import { durationOf, wholeNumber } from "./tokens/duration.ts";
import { syntaxError, tooDeep } from "./tokens/errors.ts";
import type { Token } from "./tokens/tokens.ts";

/** An expression and how many levels its tree has. */
interface Tree {
  readonly expression: Expression;
  readonly height: number;
}

const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  OR: 1,
  AND: 2,
  "=": 3,
  "!=": 3,
  "=~": 3,
  "!~": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  "+": 4,
  "-": 4,
  "|": 4,
  "^": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  "&": 5,
};
const VALUE_TYPES = ["float", "integer", "unsigned", "string", "boolean"] as const;
const UNSIGNED_MAX = 2n ** 64n - 1n;

export function parseExpression(cursor: Cursor): Expression {
  return parseTree(cursor).expression;
}

/** Operands and operators, the tighter ones first, those of one strength from left to right. */
function parseTree(cursor: Cursor): Tree {
  cursor.enter();
  const operands = [parseOperand(cursor)];
  const operators: BinaryOperator[] = [];
  for (;;) {
    const operator = findOperator(cursor.next());
    if (operator === undefined) break;
    join(operands, operators, PRECEDENCE[operator]);
    operators.push(operator);
    const regex = operator === "=~" || operator === "!~";
    operands.push(regex ? parseRegexOperand(cursor) : parseOperand(cursor));
  }
  cursor.back();
  cursor.leave();
  join(operands, operators, 0);
  const [root] = operands;
  assert(root !== undefined, "an expression has no operand");
  return root;
}

/** How tightly an operator binds; the more, the tighter. */
export function precedenceOf(operator: BinaryOperator): number {
  return PRECEDENCE[operator];
}

function findOperator({ kind }: Token): BinaryOperator | undefined {
  return Object.hasOwn(PRECEDENCE, kind) ? (kind as BinaryOperator) : undefined;
}

/** Joins the last operands while their operators bind at least as tightly as `precedence`. */
function join(operands: Tree[], operators: BinaryOperator[], precedence: number): void {
  for (;;) {
    const operator = operators.at(-1);
    if (operator === undefined || PRECEDENCE[operator] < precedence) return;
    const [left, right] = operands.splice(-2);
    assert(left !== undefined && right !== undefined, "an operator has two operands");
    operators.pop();
    const expression: Expression = {
      kind: "binary",
      operator,
      left: left.expression,
      right: right.expression,
    };
    operands.push(above(expression, left, right));
  }
}

function above(expression: Expression, ...trees: readonly Tree[]): Tree {
  let height = 0;
  for (const tree of trees) height = Math.max(height, tree.height);
  if (height >= HEIGHT_MAX) throw tooDeep(HEIGHT_MAX);
  return { expression, height: height + 1 };
}

function leaf(expression: Expression): Tree {
  return { expression, height: 1 };
}

function parseRegexOperand(cursor: Cursor): Tree {
  const pattern = cursor.findRegex();
  if (pattern === undefined) throw cursor.unexpected(cursor.next(), "regex");
  return leaf({ kind: "regex", pattern });
}

function parseOperand(cursor: Cursor): Tree {
  cursor.countPart();
  const token = cursor.next();
  switch (token.kind) {
    case "(":
      return parseParenthesized(cursor);
    case "name":
      return parseNamed(cursor, token);
    case "DISTINCT":
      return parseDistinct(cursor);
    case "*":
      return parseWildcard(cursor);
    case "+":
    case "-":
      return parseSigned(cursor, token.kind);
    case "parameter":
      throw missingParameter(token);
    default:
      return leaf(parseLiteral(cursor, token));
  }
}

function parseParenthesized(cursor: Cursor): Tree {
  const inner = parseTree(cursor);
  cursor.expect(")");
  return above({ kind: "parenthesized", expression: inner.expression }, inner);
}

/** A call where a parenthesis follows at once, else a variable. */
function parseNamed(cursor: Cursor, token: Token): Tree {
  if (cursor.scan().kind === "(") return parseCall(cursor, token.text);
  cursor.back();
  cursor.back();
  return leaf(parseVariable(cursor));
}

function parseVariable(cursor: Cursor): Expression {
  const name = parseSegments(cursor).join(".");
  if (cursor.scan().kind === "::") return { kind: "variable", name, cast: parseCast(cursor) };
  cursor.back();
  return { kind: "variable", name, cast: undefined };
}

function parseCast(cursor: Cursor): CastType {
  const token = cursor.scan();
  if (token.kind === "FIELD") return "field";
  if (token.kind === "TAG") return "tag";
  const cast = VALUE_TYPES.find((type) => isWord(token, type));
  if (cast !== undefined) return cast;
  // 1.x leaves a type out where no name stands.
  const types = VALUE_TYPES.filter((type) => token.kind === "name" || type !== "unsigned");
  throw cursor.unexpected(token, ...types, "field", "tag");
}

/** Behind the name and the opening parenthesis. */
function parseCall(cursor: Cursor, name: string): Tree {
  const call = name.toLowerCase();
  cursor.enter();
  const first = findRegexTree(cursor);
  if (first === undefined && cursor.scan().kind === ")") {
    cursor.leave();
    return leaf({ kind: "call", name: call, arguments: [] });
  }
  if (first === undefined) cursor.back();
  const trees = [first ?? parseTree(cursor)];
  while (cursor.accept(",")) trees.push(findRegexTree(cursor) ?? parseTree(cursor));
  const token = cursor.scan();
  if (token.kind !== ")") throw cursor.unexpected(token, ")");
  cursor.leave();
  const expressions = trees.map(({ expression }) => expression);
  return above({ kind: "call", name: call, arguments: expressions }, ...trees);
}

function findRegexTree(cursor: Cursor): Tree | undefined {
  const pattern = cursor.findRegex();
  if (pattern === undefined) return undefined;
  cursor.countPart();
  return leaf({ kind: "regex", pattern });
}

function parseDistinct(cursor: Cursor): Tree {
  const token = cursor.scan();
  if (token.kind === "(") return parseCall(cursor, "distinct");
  if (token.kind !== "space") throw cursor.unexpected(token, "(", "identifier");
  return leaf({ kind: "distinct", name: cursor.expectName() });
}

function parseWildcard(cursor: Cursor): Tree {
  if (cursor.scan().kind !== "::") {
    cursor.back();
    return leaf({ kind: "wildcard", type: undefined });
  }
  const token = cursor.scan();
  if (token.kind === "FIELD") return leaf({ kind: "wildcard", type: "field" });
  if (token.kind === "TAG") return leaf({ kind: "wildcard", type: "tag" });
  throw cursor.unexpected(token, "field", "tag");
}

/** Literals take the sign; of anything else the product with 1 or -1 is meant. */
function parseSigned(cursor: Cursor, sign: "+" | "-"): Tree {
  const token = cursor.next();
  if (!["number", "integer", "duration", "(", "name"].includes(token.kind)) {
    throw cursor.unexpected(token, "identifier", "number", "duration", "(");
  }
  cursor.back();
  const tree = parseOperand(cursor);
  const { expression } = tree;
  switch (expression.kind) {
    case "number":
      return leaf({ kind: "number", value: sign === "-" ? -expression.value : expression.value });
    case "integer":
    case "unsigned":
    case "duration":
      return sign === "-" ? leaf(negated(expression)) : tree;
    default: {
      const left = leaf({ kind: "integer", value: sign === "-" ? -1n : 1n });
      const product: Expression = {
        kind: "binary",
        operator: "*",
        left: left.expression,
        right: expression,
      };
      return above(product, left, tree);
    }
  }
}

function negated(
  literal: Extract<Expression, { readonly kind: "integer" | "unsigned" | "duration" }>,
): LiteralExpression {
  if (literal.kind !== "unsigned") {
    return { kind: literal.kind, value: BigInt.asIntN(64, -literal.value) };
  }
  if (literal.value === -INT64_MIN) return { kind: "integer", value: -literal.value };
  throw syntaxError(`constant -${literal.value} underflows int64`);
}

function missingParameter({ text }: Token): Error {
  const name = text.replace(/^\$/, "");
  return syntaxError(name === "" ? "empty bound parameter" : `missing parameter: ${name}`);
}

function parseLiteral(cursor: Cursor, token: Token): LiteralExpression {
  switch (token.kind) {
    case "string":
      return { kind: "string", value: token.text };
    case "TRUE":
    case "FALSE":
      return { kind: "boolean", value: token.kind === "TRUE" };
    case "number":
      return { kind: "number", value: numberOf(cursor, token) };
    case "integer":
      return integerOf(cursor, token);
    case "duration": {
      const value = durationOf(token.text);
      if (typeof value !== "bigint") throw syntaxError(value.fault);
      return { kind: "duration", value };
    }
    case "regex":
      return { kind: "regex", pattern: cursor.checkedRegex(token) };
    default:
      throw cursor.unexpected(token, "identifier", "string", "number", "bool");
  }
}

function numberOf(cursor: Cursor, token: Token): number {
  const value = Number(token.text);
  if (!Number.isFinite(value)) throw cursor.errorAt("unable to parse number", token);
  return value;
}

function integerOf(cursor: Cursor, token: Token): LiteralExpression {
  const value = wholeNumber(token.text);
  if (value >= INT64_MIN && value <= INT64_MAX) return { kind: "integer", value };
  if (value > 0n && value <= UNSIGNED_MAX) return { kind: "unsigned", value };
  throw cursor.errorAt("unable to parse integer", token);
}

/** The operator that SELECT has no use for, the first from the top. */
export function findCondition(expression: Expression): BinaryOperator | undefined {
  switch (expression.kind) {
    case "binary":
      return PRECEDENCE[expression.operator] <= 3
        ? expression.operator
        : (findCondition(expression.left) ?? findCondition(expression.right));
    case "call": {
      for (const argument of expression.arguments) {
        const found = findCondition(argument);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    case "parenthesized":
      return findCondition(expression.expression);
    default:
      return undefined;
  }
}

/** Whether `token` is `word`, which is no keyword, in small letters or capitals. */
export function isWord({ kind, text }: Token, word: string): boolean {
  return kind === "name" && text.toLowerCase() === word;
}
