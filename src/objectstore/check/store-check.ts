import { inTurns } from "#base/async.ts";
import { messageOf } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { REQUESTS_AT_ONCE, STORE_CHECKS, type StoreCheck } from "./checks.ts";

/** How one check ended. */
export interface CheckResult {
  readonly check: StoreCheck;
  /** What is otherwise than it should be; undefined: it passed. */
  readonly fault: string | undefined;
}

/** Median times of one request after another, in milliseconds. */
export interface StorePace {
  readonly putIfAbsentMs: number;
  readonly getMs: number;
  readonly listMs: number;
}

const PACE_ROUND_COUNT = 20;
const PACE_SIZE_BYTES = 4_096;

/**
 * Checks one thing after another that a cluster needs of `store`, in objects under `prefix` (which ends in a slash) alone. What the
 * store rejects with is a fault of the check that met it.
 */
export async function* checkStore(store: ObjectStore, prefix: string): AsyncGenerator<CheckResult> {
  for (const [index, check] of STORE_CHECKS.entries()) {
    let fault: string | undefined;
    try {
      fault = await check.run(store, `${prefix}${index + 1}/`);
    } catch (error) {
      fault = messageOf(error);
    }
    yield { check, fault };
  }
}

/** How long requests for small objects under `prefix` take. */
export async function measurePace(
  store: ObjectStore,
  prefix: string,
  clock: Clock,
): Promise<StorePace> {
  const body = new Uint8Array(PACE_SIZE_BYTES);
  const timed = async (request: (key: string) => Promise<unknown>): Promise<number> => {
    const times: number[] = [];
    for (let round = 1; round <= PACE_ROUND_COUNT; round += 1) {
      const startMs = clock.monotonicMs();
      await request(`${prefix}pace/${100 + round}`);
      times.push(clock.monotonicMs() - startMs);
    }
    return times.toSorted((left, right) => left - right)[PACE_ROUND_COUNT / 2] ?? 0;
  };
  return {
    putIfAbsentMs: await timed((key) => store.putIfAbsent(key, body)),
    getMs: await timed((key) => store.get(key)),
    listMs: await timed((key) => store.list(key)),
  };
}

/** Deletes all objects under `prefix` that the store lists, until it lists none. */
export async function removeAll(store: ObjectStore, prefix: string): Promise<void> {
  const keys = (await store.list(prefix)).map(({ key }) => key);
  await inTurns(keys, REQUESTS_AT_ONCE, (key) => store.delete(key));
}

/** What stands under the prefix of a cluster: read, never changed. */
export interface PrefixFindings {
  readonly objectCount: number;
  readonly readCount: number;
  /** What is otherwise than it should be. */
  readonly fault: string | undefined;
}

const FOUND_COUNT_MAX = 1_000;
const READ_COUNT_MAX = 20;

/** Lists objects under `prefix` and reads some of them. */
export async function probePrefix(store: ObjectStore, prefix: string): Promise<PrefixFindings> {
  const found = await store.list(prefix, { countMax: FOUND_COUNT_MAX });
  const step = Math.ceil(found.length / READ_COUNT_MAX);
  const some = found.filter((_, index) => index % step === 0);
  for (const [index, { key, sizeBytes }] of some.entries()) {
    const body = await store.get(key);
    if (body?.length === sizeBytes) continue;
    const read = body === undefined ? "it is not there" : `${body.length} were read`;
    const fault = `the list says ${sizeBytes} bytes of ${key}, and ${read}`;
    return { objectCount: found.length, readCount: index, fault };
  }
  return { objectCount: found.length, readCount: some.length, fault: undefined };
}
