import { DbError, type ErrorKind } from "#base/errors.ts";

/** The codes of gRPC that are sent: https://grpc.io/docs/guides/status-codes/. */
export const STATUS = {
  ok: 0,
  cancelled: 1,
  invalid: 3,
  deadline: 4,
  notFound: 5,
  exists: 6,
  denied: 7,
  exhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export type Status = (typeof STATUS)[keyof typeof STATUS];

const STATUS_OF_KIND: Readonly<Record<ErrorKind, Status>> = {
  invalid: STATUS.invalid,
  not_found: STATUS.notFound,
  conflict: STATUS.exists,
  unavailable: STATUS.unavailable,
  denied: STATUS.denied,
  unsupported: STATUS.unimplemented,
  exceeded: STATUS.exhausted,
  corrupt: STATUS.internal,
  internal: STATUS.internal,
};

/** Codes whose status is not their kind's. */
const STATUS_OF_CODE: Readonly<Record<string, Status>> = {
  unauthenticated: STATUS.unauthenticated,
  // Clients of InfluxDB 3 take what the language lacks for a mistake in the statement.
  sql_unsupported: STATUS.invalid,
  client_left: STATUS.cancelled,
  answer_stalled: STATUS.exhausted,
  grpc_deadline: STATUS.deadline,
};

/** Longer messages would not fit in the headers that clients take. */
const MESSAGE_SIZE_MAX = 2_000;
const PLAIN = /[^\x20-\x24\x26-\x7e]/;

export function statusOf({ code, kind }: DbError): Status {
  return STATUS_OF_CODE[code] ?? STATUS_OF_KIND[kind];
}

/** Anything thrown, as the class that says what the caller can do. */
export function asDbError(error: unknown): DbError {
  if (error instanceof DbError) return error;
  return new DbError("internal", "unexpected", "an unexpected error", { cause: error });
}

/** `text` as a value of the header `grpc-message`: what is not plain ASCII is percent-encoded, and the rest of a long one is cut. */
export function encodeStatusMessage(text: string): string {
  const cut = text.length > MESSAGE_SIZE_MAX ? `${text.slice(0, MESSAGE_SIZE_MAX - 1)}…` : text;
  const whole = cut.toWellFormed();
  return PLAIN.test(whole) ? whole.replace(/[^\x20-\x24\x26-\x7e]+/gu, encodeURIComponent) : whole;
}
