import { usageError } from "./usage.ts";

/** A whole number from 1 to 2^53; throws a usage error for anything else. */
export function parseCount(text: string): number {
  return parseCountOf(text, { min: 1 });
}

/** A whole number from `min` to `max`, at most 2^53; throws a usage error for anything else. */
export function parseCountOf(
  text: string,
  { min, max = Number.MAX_SAFE_INTEGER }: { readonly min: number; readonly max?: number },
): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= min && count <= max) return count;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw usageError(`give a whole number ${range}`);
}
