import { usageError } from "./usage.ts";

/** A whole number from 1 to 2^53; throws a usage error for anything else. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || !Number.isSafeInteger(count)) {
    throw usageError("give a whole number of at least 1");
  }
  return count;
}
