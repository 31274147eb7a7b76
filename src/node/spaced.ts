import type { Clock } from "#ports/clock.ts";

/**
 * `work`, begun at most once in `intervalMs`: who asks meanwhile shares the run that begins next, so each is served by one that began after
 * he asked.
 */
export function spaced(
  work: () => Promise<unknown>,
  intervalMs: number,
  clock: Clock,
): () => Promise<void> {
  let next: Promise<void> | undefined;
  let begunMs = Number.NEGATIVE_INFINITY;
  const run = async () => {
    const restMs = begunMs + intervalMs - clock.monotonicMs();
    // Also where nothing is left to wait for: the caller notes this run before it begins.
    await (restMs > 0 ? clock.sleep(restMs) : Promise.resolve());
    next = undefined;
    begunMs = clock.monotonicMs();
    await work();
  };
  return () => {
    next ??= run();
    return next;
  };
}
