import type { Clock } from "#ports/clock.ts";
import type { ObjectStore } from "#ports/object-store.ts";

const CALL_MS = 100;
/** A page of a list holds at most this many, and each page is a call. */
const PAGE_COUNT = 1_000;
const BYTES_PER_MS = 1_000_000;

/** `inner` with the pace of a cloud: 100 ms for each call and each page of a list, and a gigabyte a second. */
export function throttledStore(inner: ObjectStore, clock: Clock): ObjectStore {
  const sending = (body: Uint8Array) => clock.sleep(CALL_MS + body.length / BYTES_PER_MS);
  return {
    async putIfAbsent(key, body) {
      await sending(body);
      await inner.putIfAbsent(key, body);
    },
    async put(key, body) {
      await sending(body);
      await inner.put(key, body);
    },
    async get(key) {
      await clock.sleep(CALL_MS);
      const body = await inner.get(key);
      if (body !== undefined) await clock.sleep(body.length / BYTES_PER_MS);
      return body;
    },
    async list(prefix, options) {
      await clock.sleep(CALL_MS);
      const found = await inner.list(prefix, options);
      await clock.sleep(Math.floor(found.length / PAGE_COUNT) * CALL_MS);
      return found;
    },
    async delete(key) {
      await clock.sleep(CALL_MS);
      await inner.delete(key);
    },
  };
}
