import { v } from "#base/schema.ts";
import type { CloudRefusal } from "../cloud/failures.ts";
import type { Answer } from "./exchange.ts";

const FAILURE = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    error: v.object({
      message: v.string(),
      errors: v.optional(v.array(v.object({ reason: v.optional(v.string()) })), []),
    }),
  }),
);
const TEXT_SHOWN_MAX = 300;

/** An answer that says no. */
export class Refused extends Error {
  readonly refusal: CloudRefusal;

  constructor({ status, body }: Answer) {
    const text = Buffer.from(body).toString();
    const read = v.safeParse(FAILURE, text);
    // What is not of the API may be a page of something on the way.
    const message = read.success ? read.output.error.message : text.slice(0, TEXT_SHOWN_MAX);
    super(message);
    const code = read.success ? read.output.error.errors[0]?.reason : undefined;
    this.refusal = { status, code, text: message };
  }
}

/** What the service answered, or what happened to the connection. */
export function refusalOf(error: unknown): CloudRefusal {
  if (error instanceof Refused) return error.refusal;
  if (!(error instanceof Error)) return { status: undefined, code: undefined, text: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { status: undefined, code, text: error.message };
}

export function isDone({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/** Whether a condition on the object failed. */
export function isTaken({ status }: Answer): boolean {
  return status === 412;
}

/** A page for people comes from something on the way, which knows nothing of objects. */
const PAGE = /^\s*</;

/** Whether the service says that it has stored an object. */
export function isStored(answer: Answer): boolean {
  return isDone(answer) && !PAGE.test(Buffer.from(answer.body).toString());
}

/** Whether the bucket has no such object; a bucket that is not there is another matter. */
export function isAbsent(answer: Answer): boolean {
  if (answer.status !== 404) return false;
  const { message } = new Refused(answer);
  if (PAGE.test(message)) return false;
  return /no such object/i.test(message) || !/bucket/i.test(message);
}

/** Throws Refused unless the answer is one that was `expected`. */
export function refuseUnless(expected: boolean, answer: Answer): void {
  if (!expected) throw new Refused(answer);
}
