import type { Expression } from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import { coerce, commonType } from "../coerce.ts";
import { literal } from "../fold.ts";
import { call } from "../operators.ts";
import {
  type Builder,
  type CallContext,
  checkCount,
  commonArgumentType,
  named,
} from "./builder.ts";

/** The functions of SQL that choose among their arguments, by name. */
export const CHOICE_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...named("coalesce", choice("coalesce")),
  ...named("greatest", choice("greatest")),
  ...named("least", choice("least")),
  ...named("ifnull nvl", choice("coalesce", 2)),
  ...named("nullif", choice("nullif", 2)),
  ...named("nvl2", choiceByNull),
};

/** A function whose arguments and result have one type. */
function choice(name: ScalarFunction, count?: number): Builder {
  return (operands, context) => {
    if (count !== undefined || operands.length === 0) checkCount(operands, context, count ?? 1);
    const type =
      name === "nullif"
        ? commonArgumentType(operands, context, (compared) => commonType(compared, "int64"))
        : commonArgumentType(operands, context);
    if (type === "null") return literal(null, "null");
    return call(
      name,
      operands.map((operand) => coerce(operand, type)),
      type,
    );
  };
}

/** `nvl2(x, a, b)`: a where x is not NULL, else b. */
function choiceByNull(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 3);
  const [tested = literal(null, "null"), ...results] = operands;
  const type = commonArgumentType(results, context);
  const [present = literal(null, type), missing = literal(null, type)] = results.map((result) =>
    coerce(result, type),
  );
  const when = call("is_not_null", [tested], "boolean");
  return { kind: "case", branches: [{ when, result: present }], otherwise: missing, type };
}
