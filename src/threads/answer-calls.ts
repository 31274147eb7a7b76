/** The thread's end of a ThreadLink. */
import { parentPort } from "node:worker_threads";
import { assert, DbError, type ErrorParts, errorParts } from "#base/errors.ts";
import type { CallAnswer, CallRequest, CallTable } from "./thread-link.ts";

/** How each call is answered; `give` names memory that goes along with the answer. */
export type Answers<Calls extends CallTable> = {
  readonly [Name in keyof Calls]: (
    request: Calls[Name]["request"],
    give: (memory: ArrayBuffer) => void,
  ) => Calls[Name]["answer"];
};

/** Answers calls in the order they come, for as long as the thread is. An error that is no DbError is a bug, and told as `bug` says,
 * except for lack of memory: `unavailable` / `memory_short`. */
export function answerCalls<Calls extends CallTable>(
  answers: Answers<Calls>,
  bug: (message: string) => DbError,
): void {
  const port = parentPort;
  assert(port !== null, "a thread has a parent");
  port.on("message", ({ id, name, request }: CallRequest<Calls>) => {
    const given: ArrayBuffer[] = [];
    let answer: CallAnswer;
    try {
      answer = { id, value: answers[name](request, (memory) => given.push(memory)) };
    } catch (error) {
      answer = { id, error: described(error, bug) };
    }
    port.postMessage(answer, given);
  });
}

/** What V8 says where the system gives no memory, for arrays and for WebAssembly. */
const NO_MEMORY = /allocation failed|could not allocate memory|unable to grow/i;

function described(error: unknown, bug: (message: string) => DbError): ErrorParts {
  if (error instanceof DbError) return errorParts(error);
  if (error instanceof RangeError && NO_MEMORY.test(error.message)) return errorParts(noMemory());
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return errorParts(bug(message));
}

function noMemory(): DbError {
  return new DbError(
    "unavailable",
    "memory_short",
    "the system gave this process no memory for this: it is tried again, or try again later; see which process takes it all",
  );
}
