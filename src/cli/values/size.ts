import { usageError } from "./usage.ts";

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 2 ** 10,
  kib: 2 ** 10,
  mb: 2 ** 20,
  mib: 2 ** 20,
  gb: 2 ** 30,
  gib: 2 ** 30,
  tb: 2 ** 40,
  tib: 2 ** 40,
};

export interface SizeOptions {
  /** What a percentage is of; without it percentages are refused. */
  readonly wholeBytes?: number;
  /** The unit of a number without one; without it such numbers are refused. */
  readonly bareUnit?: "b" | "mb";
}

/**
 * Bytes of a text like `64MB`, `1.5 gb` or `20%`: units b, kb, mb, gb, tb in any case, each 1024 of the one before.
 *
 * Throws a usage error for anything else, for less than one byte, and for more than 2^53.
 */
export function parseSize(text: string, options: SizeOptions = {}): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*|%)$/i.exec(text.trim());
  if (match === null) throw usageError(`not a size: ${sizeHint(options)}`);
  const factor = unitBytes((match[2] ?? "").toLowerCase(), options);
  const sizeBytes = Math.floor(Number(match[1]) * factor);
  if (sizeBytes < 1 || sizeBytes > Number.MAX_SAFE_INTEGER) {
    throw usageError("a size is at least one byte and at most 8192 TB");
  }
  return sizeBytes;
}

function unitBytes(unit: string, options: SizeOptions): number {
  if (unit === "%") {
    if (options.wholeBytes === undefined) {
      throw usageError(`a percentage has no meaning here: ${sizeHint(options)}`);
    }
    return options.wholeBytes / 100;
  }
  const name = unit === "" ? options.bareUnit : unit;
  if (name === undefined) throw usageError(`a unit is missing: ${sizeHint(options)}`);
  const factor = UNITS[name];
  if (factor === undefined) throw usageError(`unknown unit '${unit}': ${sizeHint(options)}`);
  return factor;
}

function sizeHint({ wholeBytes }: SizeOptions): string {
  const hint = "give a number with b, kb, mb, gb or tb";
  return wholeBytes === undefined ? hint : `${hint}, or a percentage of memory`;
}
