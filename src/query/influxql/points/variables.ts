import type {
  Input,
  OutputExpression,
  ReducerInput,
  ResolvedSelect,
  VariableInput,
} from "../resolved.ts";

/** What a SELECT reads of each row of its sources, each once. */
export function variablesOf(select: ResolvedSelect): readonly VariableInput[] {
  const found = new Map<string, VariableInput>();
  const add = (variable: VariableInput): void => {
    found.set(keyOfVariable(variable), variable);
  };
  for (const input of select.inputs) for (const variable of readBy(input)) add(variable);
  for (const variable of besideOf(select)) add(variable);
  return [...found.values()];
}

/** The variables of the row that the one selector chose, each once. */
export function besideOf(select: ResolvedSelect): readonly VariableInput[] {
  const found = new Map<string, VariableInput>();
  for (const { expression } of select.outputs) {
    eachLeaf(expression, (leaf) => {
      if (leaf.kind === "beside") found.set(keyOfVariable(leaf.input), leaf.input);
    });
  }
  return [...found.values()];
}

export function keyOfVariable({ name, type }: VariableInput): string {
  return `${type} ${name}`;
}

function readBy(input: Input): readonly VariableInput[] {
  return input.kind === "variable" ? [input] : [input.argument, ...input.keys];
}

function eachLeaf(expression: OutputExpression, each: (leaf: OutputExpression) => void): void {
  switch (expression.kind) {
    case "binary":
      eachLeaf(expression.left, each);
      eachLeaf(expression.right, each);
      return;
    case "math":
      for (const argument of expression.arguments) eachLeaf(argument, each);
      return;
    case "transform":
      eachLeaf(expression.argument, each);
      return;
    default:
      each(expression);
  }
}

/** Functions that choose rows, of which other columns can be asked. */
export function isSelector({ name }: ReducerInput): boolean {
  return SELECTORS.has(name);
}

const SELECTORS: ReadonlySet<string> = new Set([
  "first",
  "last",
  "min",
  "max",
  "percentile",
  "top",
  "bottom",
  "sample",
]);
