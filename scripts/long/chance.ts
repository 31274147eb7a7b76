/** A whole number below `limit`. */
export function below(limit: number): number {
  return Math.floor(Math.random() * limit);
}

/** True in `share` of all cases. */
export function chance(share: number): boolean {
  return Math.random() < share;
}

export function pick<T>(items: readonly T[]): T {
  const item = items[below(items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}
