/** The powers that `scale` in lines.as knows. */
const POWER_MIN = -342;
const POWER_MAX = 308;
const BITS = 128n;
/** Bits of 5^27. */
const EXACT_SIZE_MAX = 63n;

/** The first 128 bits of each power of ten, the high half first, as a double's digits are multiplied with them. */
export const POWERS_OF_TEN = powersOfTen();

function powersOfTen(): BigUint64Array {
  const halves: bigint[] = [];
  for (let power = POWER_MIN; power <= POWER_MAX; power += 1) {
    const bits = power < 0 ? reciprocal(5n ** BigInt(-power)) : firstBits(5n ** BigInt(power));
    halves.push(bits >> 64n, BigInt.asUintN(64, bits));
  }
  return BigUint64Array.from(halves);
}

/** Cut off. */
function firstBits(value: bigint): bigint {
  const size = sizeOf(value);
  return size < BITS ? value << (BITS - size) : value >> (size - BITS);
}

/** Of 1/`value`, from above where that is exact enough for ties to be told (down to 10^-27). */
function reciprocal(value: bigint): bigint {
  const size = sizeOf(value);
  if (size <= EXACT_SIZE_MAX) return (1n << (size + BITS - 1n)) / value + 1n;
  return firstBits((1n << (2n * size + BITS)) / value + 1n);
}

function sizeOf(value: bigint): bigint {
  return BigInt(value.toString(2).length);
}
