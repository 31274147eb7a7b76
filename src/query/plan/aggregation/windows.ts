import type { Expression } from "#model/query/expression.ts";
import type { Field, Plan, WindowCall } from "#model/query/plan.ts";
import { standInOf } from "../bind/calls/calls.ts";
import { mapChildren } from "../tree.ts";

/** Rows and what windows of them give. */
export interface Windowed {
  readonly plan: Plan;
  /** Puts what the windows give in place of the inputs that stand for them. */
  readonly place: (expression: Expression) => Expression;
}

/** `plan` with a column for each window call, whose parts are over its fields. */
export function withWindows(
  plan: Plan,
  calls: readonly WindowCall[],
  texts: readonly string[],
): Windowed {
  if (calls.length === 0) return { plan, place: (expression) => expression };
  const first = plan.fields.length;
  const added = calls.map(({ type }, index): Field => ({ name: texts[index] ?? "", type }));
  const place = (expression: Expression): Expression => {
    if (expression.kind !== "input") return mapChildren(expression, place);
    const standIn = standInOf(expression.index);
    return standIn?.kind === "window"
      ? { ...expression, index: first + standIn.place }
      : expression;
  };
  const fields = [...plan.fields, ...added];
  return { plan: { kind: "window", fields, input: plan, calls }, place };
}
