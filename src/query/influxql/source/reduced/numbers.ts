/** Columns of numbers that engines gave, put together. */
import type { ResultColumn } from "#model/query/result.ts";

const NOTHING: ResultColumn = { type: "null" };
const HALF = 32n;

/** Counts, of which those of nothing are missing. */
export function withoutZeros(counts: ResultColumn | undefined): ResultColumn {
  if (counts?.type !== "int64") return NOTHING;
  const { values } = counts;
  if (!values.includes(0n)) return counts;
  return {
    type: "int64",
    values,
    present: Uint8Array.from(values, (count) => Number(count !== 0n)),
  };
}

/** Sums of the high and the low halves of whole numbers as their sum, which goes round beyond 64 bits. */
export function wrappedSum(
  highs: ResultColumn | undefined,
  lows: ResultColumn | undefined,
): ResultColumn {
  if (highs?.type !== "int64" || lows?.type !== "int64") return NOTHING;
  const values = highs.values.map((high, row) => {
    return BigInt.asIntN(64, (high << HALF) + (lows.values[row] ?? 0n));
  });
  return { ...highs, values };
}

export function meanOf(sums: ResultColumn, counts: ResultColumn | undefined): ResultColumn {
  if (sums.type !== "int64" || counts?.type !== "int64") return NOTHING;
  const { present, values: whole } = sums;
  const values = Float64Array.from(whole, (sum, row) => Number(sum) / Number(counts.values[row]));
  return { type: "float64", values, ...(present !== undefined && { present }) };
}

/** Standard deviations; that of one value is there, and NaN. */
export function deviationOf(
  counts: ResultColumn | undefined,
  deviations: ResultColumn | undefined,
): ResultColumn {
  if (counts?.type !== "int64" || deviations?.type !== "float64") return NOTHING;
  const { present } = deviations;
  if (present === undefined) return deviations;
  const values = deviations.values.map((value, row) => (present[row] === 0 ? Number.NaN : value));
  const known = Uint8Array.from(counts.values, (count) => Number(count > 0n));
  return { type: "float64", values, present: known };
}

/** Whole numbers go round beyond 64 bits. */
export function differenceOf(
  left: ResultColumn | undefined,
  right: ResultColumn | undefined,
): ResultColumn {
  if (left?.type === "float64" && right?.type === "float64")
    return { ...left, values: left.values.map((value, row) => value - (right.values[row] ?? 0)) };
  if (left?.type !== "int64" || right?.type !== "int64") return NOTHING;
  const values = left.values.map((value, row) => {
    return BigInt.asIntN(64, value - (right.values[row] ?? 0n));
  });
  return { ...left, values };
}
