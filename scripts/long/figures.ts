/** The value below which `share` of `values` lie; NaN when there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

/** `p50 1.2 ms, p99 3.4 ms, most 5.6 ms`. */
export function describeMs(values: readonly number[]): string {
  const [half, most] = [percentile(values, 0.5), percentile(values, 1)];
  return `p50 ${round(half)} ms, p99 ${round(percentile(values, 0.99))} ms, most ${round(most)} ms`;
}
