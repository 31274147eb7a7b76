import { parseStatement } from "./sql/statement.ts";

/** The names of the parameters of the statement `text`, in order of their first use. Throws what parsing throws. */
export function parameterNames(text: string): readonly string[] {
  const names = new Set<string>();
  collect(parseStatement(text), names);
  return [...names];
}

/** Parsing has bounded how deep a tree is. */
function collect(part: unknown, names: Set<string>): void {
  if (typeof part !== "object" || part === null) return;
  if ("kind" in part && part.kind === "parameter" && "name" in part) names.add(String(part.name));
  for (const child of Object.values(part)) collect(child, names);
}
