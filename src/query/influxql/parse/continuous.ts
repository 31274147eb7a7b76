import type { ContinuousQueryStatement, SelectStatement } from "../ast.ts";
import { parseNameOn } from "./databases.ts";
import { parseSelect } from "./select.ts";
import type { Cursor } from "./tokens/cursor.ts";
import { durationText } from "./tokens/duration.ts";
import { syntaxError } from "./tokens/errors.ts";
import { durationAt } from "./values.ts";

/** Behind CREATE CONTINUOUS QUERY. */
export function parseCreateContinuousQuery(cursor: Cursor): ContinuousQueryStatement {
  const target = parseNameOn(cursor);
  const { resampleEveryNs, resampleForNs } = parseResample(cursor);
  cursor.expect("BEGIN", "SELECT");
  const select = parseSelect(cursor, "required");
  const window = windowOf(select);
  checkWindow(cursor, select, window);
  cursor.expect("END");
  const windowNs = typeof window === "bigint" ? window : 0n;
  const forNsMin = resampleEveryNs > windowNs ? resampleEveryNs : windowNs;
  if (resampleForNs !== 0n && resampleForNs < forNsMin) {
    throw syntaxError(
      `FOR duration must be >= GROUP BY time duration: must be a minimum of ${durationText(forNsMin)}, got ${durationText(resampleForNs)}`,
    );
  }
  return { kind: "create_continuous_query", ...target, resampleEveryNs, resampleForNs, select };
}

function parseResample(cursor: Cursor) {
  if (!cursor.accept("RESAMPLE")) return { resampleEveryNs: 0n, resampleForNs: 0n };
  const resampleEveryNs = cursor.accept("EVERY") ? parseInterval(cursor) : 0n;
  const resampleForNs = cursor.accept("FOR") ? parseInterval(cursor) : 0n;
  if (resampleEveryNs === 0n && resampleForNs === 0n) {
    throw cursor.unexpected(cursor.next(), "EVERY", "FOR");
  }
  return { resampleEveryNs, resampleForNs };
}

function parseInterval(cursor: Cursor): bigint {
  const token = cursor.next();
  if (token.kind !== "duration") throw cursor.unexpected(token, "duration");
  return durationAt(cursor, token);
}

/** Refuses calls without a window. The error stands two tokens before the one that ends the statement, as in 1.x. */
function checkWindow(
  cursor: Cursor,
  select: SelectStatement,
  window: ReturnType<typeof windowOf>,
): void {
  if (!select.fields.some(({ expression }) => hasCall(expression))) return;
  if (typeof window === "bigint" && window !== 0n) return;
  cursor.back();
  cursor.back();
  const expected = ["GROUP BY time(...)"];
  if (typeof window !== "bigint") expected.push(window.fault);
  throw cursor.unexpected(cursor.next(), ...expected);
}

function hasCall(expression: SelectStatement["fields"][number]["expression"]): boolean {
  switch (expression.kind) {
    case "call":
      return true;
    case "binary":
      return hasCall(expression.left) || hasCall(expression.right);
    case "parenthesized":
      return hasCall(expression.expression);
    default:
      return false;
  }
}

/** The window of the first `time(…)` of GROUP BY, 0 without. */
function windowOf({ groupBy }: SelectStatement): bigint | { readonly fault: string } {
  for (const { expression } of groupBy) {
    if (expression.kind !== "call" || expression.name !== "time") continue;
    const [window, ...others] = expression.arguments;
    if (window === undefined || others.length > 1) {
      return { fault: "time dimension expected 1 or 2 arguments" };
    }
    return window.kind === "duration"
      ? window.value
      : { fault: "time dimension must have duration argument" };
  }
  return 0n;
}
