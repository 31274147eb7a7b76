/** What is read and reduced, and what is computed after it. */
import { assert, isKind } from "#base/errors.ts";
import { SECOND_NS } from "#model/time-units.ts";
import type { Expression, SelectField } from "../ast.ts";
import {
  asCall,
  type CallExpression,
  isLiteral,
  isMathName,
  isTopBottom,
  keysOfTop,
} from "../check/expressions.ts";
import {
  type Input,
  type Output,
  type OutputExpression,
  REDUCER_NAMES,
  type ReducerInput,
  type ReducerName,
  TRANSFORM_NAMES,
  type TransformName,
  type VariableInput,
} from "../resolved.ts";
import { requireArgument } from "./arguments.ts";
import { columnNames } from "./names.ts";
import { type Type, typeOfCast, typeOfExpression } from "./types.ts";

export interface Outputs {
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
}

export interface OutputOptions {
  /** Whether a function of many rows is among the fields. */
  readonly hasCalls: boolean;
  /** Whether tags have values of their own: those of tables are there beside fields alone. */
  readonly tagsAreValues: boolean;
  /** Without, functions are given nothing, and refuse none. */
  readonly hasSources: boolean;
  /** Whether operands that do not go together are an error; in subqueries they give nothing. */
  readonly strict: boolean;
  /** Nanoseconds of GROUP BY time; undefined without. */
  readonly everyNs: bigint | undefined;
}

const NONE: OutputExpression = { kind: "null" };
const TRANSFORMS: ReadonlySet<string> = new Set(TRANSFORM_NAMES);
const REDUCERS: ReadonlySet<string> = new Set(REDUCER_NAMES);

/** `fields` name no more than they mean, and each name is cast to its type. */
export function resolveOutputs(fields: readonly SelectField[], options: OutputOptions): Outputs {
  const builder = new OutputBuilder(options);
  const shown = fields.flatMap((field) => [
    field,
    ...keysOfTop(field.expression).map((key) => ({ alias: undefined, expression: key })),
  ]);
  const names = columnNames(shown);
  const outputs = shown.map((field, index): Output => {
    const name = names[index] ?? "";
    const type = builder.typeOf(field.expression);
    if (type === undefined) return { name, expression: NONE, type };
    return { name, expression: builder.output(field.expression), type };
  });
  return { inputs: builder.inputs, outputs };
}

class OutputBuilder {
  readonly inputs: Input[] = [];
  readonly #options: OutputOptions;
  readonly #indexes = new Map<string, number>();

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  typeOf(expression: Expression): Type {
    if (this.#options.strict) return typeOfExpression(expression);
    return lenientType(expression);
  }

  output(expression: Expression): OutputExpression {
    switch (expression.kind) {
      case "variable":
        return this.#variable(variableOf(expression));
      case "parenthesized":
        return this.output(expression.expression);
      case "binary": {
        const { left, operator, right } = expression;
        if (lenientType(expression) === undefined) return NONE;
        return { kind: "binary", operator, left: this.output(left), right: this.output(right) };
      }
      case "call":
      case "distinct": {
        const call = asCall(expression);
        return call === undefined ? NONE : this.#call(call);
      }
      case "integer":
      case "unsigned":
      case "number":
      case "string":
      case "boolean":
        return { kind: "literal", value: expression.value };
      default:
        return NONE;
    }
  }

  #variable(input: VariableInput | undefined): OutputExpression {
    if (input === undefined) return NONE;
    if (this.#options.hasCalls) return { kind: "beside", input };
    return this.#input(input);
  }

  #call(call: CallExpression): OutputExpression {
    const { name } = call;
    if (isMathName(name)) {
      const given = call.arguments.map((argument) => this.output(argument));
      return { kind: "math", name, arguments: given };
    }
    if (isTransformName(name)) return this.#transform(call, name);
    assert(isReducerName(name), `${name}() was checked`);
    return this.#reducer(call, name);
  }

  #transform(call: CallExpression, name: TransformName): OutputExpression {
    const [first, ...rest] = call.arguments;
    if (first === undefined) return NONE;
    const argument = this.#transformed(first);
    if (argument.kind === "null") return NONE;
    this.#require(name, lenientType(first));
    const parameters = this.#parameters(name, rest);
    return { kind: "transform", name, argument, parameters };
  }

  #transformed(expression: Expression): OutputExpression {
    const call = asCall(expression);
    if (call !== undefined) return this.#call(call);
    const variable = expression.kind === "variable" ? this.#value(expression) : undefined;
    return variable === undefined ? NONE : this.#input(variable);
  }

  /** Units that are not said: of `elapsed` a nanosecond, of others the length of the window, without one a second. */
  #parameters(name: string, rest: readonly Expression[]): readonly (bigint | number)[] {
    const given = rest.flatMap((each): (bigint | number)[] => {
      if (each.kind === "duration") return [each.value];
      return each.kind === "integer" ? [Number(each.value)] : [];
    });
    if (given.length > 0) return given;
    if (name === "elapsed") return [1n];
    if (!name.endsWith("derivative")) return [];
    return [this.#options.everyNs ?? SECOND_NS];
  }

  #reducer(call: CallExpression, name: ReducerName): OutputExpression {
    const { arguments: given } = call;
    const [first, ...rest] = given;
    const inner = first === undefined ? undefined : asCall(first);
    const argument = this.#value(inner?.arguments[0] ?? first);
    if (argument === undefined) return NONE;
    // Of each combination of tags the best is taken by another function.
    const best = name === "top" ? "max" : "min";
    this.#require(isTopBottom(name) && rest.length > 1 ? best : name, argument.type);
    // Also names of fields are taken for tags, which nothing has.
    const keys = keysOfTop(call).map(
      (key): VariableInput => ({ kind: "variable", name: key.name, type: "tag" }),
    );
    const input: ReducerInput = {
      kind: "reducer",
      name,
      argument,
      distinct: inner?.name === "distinct",
      parameter: parameterOf(name, rest.at(-1)),
      keys,
      type: lenientType({ kind: "call", name, arguments: given }) ?? argument.type,
    };
    return this.#input(input);
  }

  #require(name: string, type: Type): void {
    if (this.#options.hasSources) requireArgument(name, type);
  }

  /** What a function reads. Tags of tables are no values. */
  #value(expression: Expression | undefined): VariableInput | undefined {
    if (expression?.kind !== "variable") return undefined;
    const input = variableOf(expression);
    return input?.type === "tag" && !this.#options.tagsAreValues ? undefined : input;
  }

  #input(input: Input): OutputExpression {
    const key = JSON.stringify(input);
    const index = this.#indexes.get(key) ?? this.inputs.push(input) - 1;
    this.#indexes.set(key, index);
    return { kind: "input", index };
  }
}

function isTransformName(name: string): name is TransformName {
  return TRANSFORMS.has(name);
}

function isReducerName(name: string): name is ReducerName {
  return REDUCERS.has(name);
}

function variableOf({
  cast,
  name,
}: Extract<Expression, { readonly kind: "variable" }>): VariableInput | undefined {
  const type = typeOfCast(cast);
  return type === undefined ? undefined : { kind: "variable", name, type };
}

/** As `typeOfExpression`; undefined where operands do not go together. */
export function lenientType(expression: Expression): Type {
  try {
    return typeOfExpression(expression);
  } catch (error) {
    if (isKind(error, "invalid")) return undefined;
    throw error;
  }
}

function parameterOf(name: string, last: Expression | undefined): number | undefined {
  if (last === undefined) return name === "integral" ? Number(SECOND_NS) : undefined;
  if (!isLiteral(last)) return undefined;
  switch (last.kind) {
    case "integer":
    case "duration":
      return Number(last.value);
    case "number":
      return last.value;
    default:
      return undefined;
  }
}
