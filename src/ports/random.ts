/** Chance: the only source of it in the database. Real: node/real/machine.ts. Simulated: seeded. */
export interface Random {
  /** A float in [0, 1). */
  next(): number;
}

/** An integer in [0, limit). */
export function below(random: Random, limit: number): number {
  return Math.floor(random.next() * limit);
}

/** `sizeBytes` bytes of chance: names and nonces, never secrets. */
export function randomBytes(random: Random, sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, () => below(random, 256));
}

/** mulberry32: 32 bits of state, plenty for simulation and jitter. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}
