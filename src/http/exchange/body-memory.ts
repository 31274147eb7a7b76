import type { BodyClaim } from "./body-budget.ts";

/** Where a body of unknown size begins, and what it grows by at most. */
const PIECE_SIZE_MIN = 16 * 1024;
const PIECE_SIZE_MAX = 1024 * 1024;

/**
 * Bytes of a body as they come, copied at once: what came in small packets takes no more than what came in large ones.
 *
 * Where the size is known and there is plenty of memory, all of it is taken at the first byte, and nothing is copied again.
 * Otherwise what is taken follows what came, twice as much at most.
 */
export class BodyMemory {
  readonly #claim: BodyClaim;
  readonly #sizeMax: number;
  readonly #sizeSaid: number | undefined;
  /** Full ones. */
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #piece: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #filledBytes = 0;
  /** Of all pieces. */
  #capacity = 0;

  /** `sizeMax` bytes come at most; `sizeSaid`, where that is known, exactly. */
  constructor(claim: BodyClaim, sizeMax: number, sizeSaid: number | undefined) {
    this.#claim = claim;
    this.#sizeMax = sizeMax;
    this.#sizeSaid = sizeSaid;
  }

  /** Bytes that came. */
  get sizeBytes(): number {
    return this.#capacity - this.#piece.length + this.#filledBytes;
  }

  /** Copies `chunk`. Throws `exceeded` / `request_memory`. */
  add(chunk: Uint8Array): void {
    const free = this.#piece.length - this.#filledBytes;
    if (chunk.length <= free) {
      this.#copy(chunk);
      return;
    }
    this.#copy(chunk.subarray(0, free));
    const rest = chunk.subarray(free);
    this.#grow(rest.length);
    this.#copy(rest);
  }

  /**
   * All that came, in memory of its own, which the claim goes on to hold. Nothing is added afterwards. Pieces are joined beside what
   * is held: one body at a time, for it is done at once, so that a body of the allowed size still fits. Throws where no memory is left.
   */
  take(): Uint8Array<ArrayBuffer> {
    const filled = this.#piece.subarray(0, this.#filledBytes);
    const exact = this.#pieces.length === 0 && filled.length === this.#piece.length;
    const whole = exact ? this.#piece : joined([...this.#pieces, filled], this.sizeBytes);
    this.#forget();
    this.#claim.hold(whole.length);
    return whole;
  }

  /** Lets go of all that came. */
  drop(): void {
    this.#forget();
    this.#claim.hold(0);
  }

  #forget(): void {
    this.#pieces = [];
    this.#piece = new Uint8Array(0);
    this.#filledBytes = 0;
    this.#capacity = 0;
  }

  #copy(bytes: Uint8Array): void {
    this.#piece.set(bytes, this.#filledBytes);
    this.#filledBytes += bytes.length;
  }

  /** Replaces the full piece by an empty one of `sizeMin` bytes at least. */
  #grow(sizeMin: number): void {
    const size = this.#nextSize(sizeMin);
    this.#claim.hold(this.#capacity + size);
    if (this.#piece.length > 0) this.#pieces.push(this.#piece);
    this.#piece = uncleared(size);
    this.#filledBytes = 0;
    this.#capacity += size;
  }

  #nextSize(sizeMin: number): number {
    const left = (this.#sizeSaid ?? this.#sizeMax) - this.#capacity;
    if (this.#sizeSaid !== undefined && this.#claim.ample) return left;
    const wanted = Math.min(Math.max(PIECE_SIZE_MIN, this.#capacity), PIECE_SIZE_MAX);
    return Math.min(left, Math.max(sizeMin, wanted));
  }
}

function joined(pieces: readonly Uint8Array[], sizeBytes: number): Uint8Array<ArrayBuffer> {
  const whole = uncleared(sizeBytes);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

/** Memory of its own that is not cleared: the caller fills all of it. */
function uncleared(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(sizeBytes).buffer);
}
