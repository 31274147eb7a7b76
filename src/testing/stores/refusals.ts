import assert from "node:assert/strict";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { ObjectStore } from "#ports/object-store.ts";

/** Every operation of a store, each a call of its own. */
export function callsOf(store: ObjectStore): readonly (() => Promise<unknown>)[] {
  return [
    () => store.putIfAbsent("a", utf8("body")),
    () => store.put("a", utf8("body")),
    () => store.get("a"),
    () => store.list("a"),
    () => store.delete("a"),
  ];
}

/** Whether an error is `unavailable` / `code`, in words that match `message`. */
export function isUnavailable(code: string, message = /^/): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof DbError && error.kind === "unavailable", String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

/** Checks that `work` fails so. */
export async function rejectsWith(
  work: Promise<unknown>,
  code: string,
  message: RegExp,
): Promise<void> {
  await assert.rejects(work, isUnavailable(code, message));
}
