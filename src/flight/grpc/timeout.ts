import { DbError } from "#base/errors.ts";

const UNITS_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};
/** What timers can wait for. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** The milliseconds of a header `grpc-timeout`; undefined where there is none. Throws `invalid` / `grpc_timeout`. */
export function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (digits === undefined || unitMs === undefined)
    throw new DbError(
      "invalid",
      "grpc_timeout",
      `the header grpc-timeout is up to 8 digits and one of H, M, S, m, u, n, not '${text}'`,
    );
  return Math.min(Number(digits) * unitMs, TIMEOUT_MS_MAX);
}
