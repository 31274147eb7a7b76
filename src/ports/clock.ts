/** Time as the database sees it. Real: node/real/machine.ts. Simulated: sim/world.ts. */
export interface Clock {
  /** Nanoseconds since the Unix epoch. May step backwards: use it to stamp, never to measure. */
  nowNs(): bigint;
  /** Milliseconds since an arbitrary start, never decreasing: use it to measure. */
  monotonicMs(): number;
  /** Resolves after `delayMs`; rejects with the signal's reason when that is aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}
