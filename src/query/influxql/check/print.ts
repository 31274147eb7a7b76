/** Expressions as 1.x's error texts show them. */
import type { Expression } from "../ast.ts";

const UNITS: readonly (readonly [unit: string, lengthNs: bigint])[] = [
  ["w", 604_800_000_000_000n],
  ["d", 86_400_000_000_000n],
  ["h", 3_600_000_000_000n],
  ["m", 60_000_000_000n],
  ["s", 1_000_000_000n],
  ["ms", 1_000_000n],
  ["u", 1_000n],
];

export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "variable": {
      const { cast, name } = expression;
      const quoted = /^[A-Za-z_]\w*$/.test(name) ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
      return cast === undefined ? quoted : `${quoted}::${cast}`;
    }
    case "wildcard":
      return expression.type === undefined ? "*" : `*::${expression.type}`;
    case "call":
      return `${expression.name}(${expression.arguments.map(printExpression).join(", ")})`;
    case "distinct":
      return `DISTINCT ${expression.name}`;
    case "binary": {
      const { left, operator, right } = expression;
      return `${printExpression(left)} ${operator} ${printExpression(right)}`;
    }
    case "parenthesized":
      return `(${printExpression(expression.expression)})`;
    case "integer":
    case "unsigned":
    case "boolean":
      return String(expression.value);
    case "number":
      return expression.value.toFixed(3);
    case "string":
      return `'${expression.value.replace(/['\\]/g, "\\$&").replaceAll("\n", "\\n")}'`;
    case "duration":
      return printDuration(expression.value);
    case "time":
      return `'${expression.value}'`;
    case "regex":
      return `/${expression.pattern.replaceAll("/", "\\/")}/`;
    case "list":
      return `(${expression.items.join(", ")})`;
  }
}

/** In the greatest unit that measures it. */
function printDuration(durationNs: bigint): string {
  if (durationNs === 0n) return "0s";
  const unit = UNITS.find(([, lengthNs]) => durationNs % lengthNs === 0n);
  return unit === undefined ? `${durationNs}ns` : `${durationNs / unit[1]}${unit[0]}`;
}
