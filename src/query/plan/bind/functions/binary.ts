import type { Expression } from "#model/query/expression.ts";
import { DIGESTS, type Digest } from "#model/query/functions/binary.ts";
import { typeText } from "#model/query/type-text.ts";
import { shown } from "../../../sql/errors.ts";
import { coerce } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { literal } from "../fold.ts";
import { call } from "../operators.ts";
import { type Builder, type CallContext, checkCount, named } from "./builder.ts";

/** The functions of SQL about bytes and hashes, by name. */
export const BINARY_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...named("encode", encode),
  ...named("decode", decode),
  ...named("digest", digest),
  ...named("md5", (operands, context) =>
    call("encode_hex", [hashed("md5", operands, context)], "string"),
  ),
  ...hash("sha224"),
  ...hash("sha256"),
  ...hash("sha384"),
  ...hash("sha512"),
};

function hash(algorithm: Digest): Record<string, Builder> {
  return named(algorithm, (operands, context) => hashed(algorithm, operands, context));
}

function hashed(
  algorithm: Digest,
  operands: readonly Expression[],
  context: CallContext,
): Expression {
  checkCount(operands, context, 1);
  const [operand = literal(null, "null")] = operands;
  return call("digest", [bytesOf(operand, context), literal(algorithm, "string")], "binary");
}

function digest(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const [operand = literal(null, "null"), method] = operands;
  const name = constantText(method, context);
  const algorithm = DIGESTS.find((one) => one === name);
  if (algorithm !== undefined) return hashed(algorithm, [operand], context);
  throw planningError(
    `There is no built-in digest algorithm named '${shown(name)}', currently supported algorithms are: ${DIGESTS.join(", ")}`,
  );
}

function encode(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const [operand = literal(null, "null"), encoding] = operands;
  const name = `encode_${encodingOf(encoding, context)}` as const;
  return call(name, [bytesOf(operand, context)], "string");
}

/** Text that stands in bytes is decoded too. */
function decode(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const [operand = literal(null, "null"), encoding] = operands;
  const name = `decode_${encodingOf(encoding, context)}` as const;
  bytesOf(operand, context);
  return call(name, [coerce(operand, "string")], "binary");
}

function encodingOf(operand: Expression | undefined, context: CallContext): "base64" | "hex" {
  const name = constantText(operand, context).toLowerCase();
  if (name === "base64" || name === "hex") return name;
  throw planningError(
    `There is no built-in encoding named '${shown(name)}', currently supported encodings are: base64, hex`,
  );
}

function constantText(operand: Expression | undefined, context: CallContext): string {
  if (operand?.kind === "literal" && typeof operand.value === "string") return operand.value;
  throw planningError(`Function '${context.name}' takes a constant text as its 2nd argument`);
}

function bytesOf(operand: Expression, context: CallContext): Expression {
  const { type } = operand;
  if (type === "binary") return operand;
  if (type === "string" || type === "null") {
    return call("bytes_of", [coerce(operand, "string")], "binary");
  }
  throw planningError(
    `Function '${context.name}': 1st argument should be Utf8 or Binary or Null, got ${typeText(type)}`,
  );
}
