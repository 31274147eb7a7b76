import { assert, DbError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import { CLIENT_LEFT } from "./errors.ts";

/** A body that comes slower than this, on average, gives way where memory is short. */
const SLOW_BYTES_PER_SECOND = 16 * 1024;

/**
 * Memory that the bodies of all requests together may hold, from their first byte until their requests are answered.
 *
 * Where it is short, bodies that come slowly give way to others: otherwise a few clients that send a byte now and then would keep
 * everybody out.
 */
export class BodyBudget {
  readonly #clock: Clock;
  readonly #heldMax: number;
  readonly #slowMs: number;
  readonly #claims = new Set<BodyClaim>();
  #heldBytes = 0;

  /** Bodies that were asked for less than `slowMs` ago are not slow yet. */
  constructor(clock: Clock, heldMax: number, slowMs: number) {
    this.#clock = clock;
    this.#heldMax = heldMax;
    this.#slowMs = slowMs;
  }

  /** Whether half of it is free: a body may then take at once what it says that it needs. */
  get ample(): boolean {
    return this.#heldBytes * 2 < this.#heldMax;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** What one request holds. `giveWay` is called when its body is to be given up for others, and lets go of it. */
  claim(giveWay: (reason: DbError) => void): BodyClaim {
    const claim = new BodyClaim(this, giveWay, this.#clock);
    this.#claims.add(claim);
    return claim;
  }

  /** The body that comes slowest of those that come too slowly. */
  slowest(): BodyClaim | undefined {
    return this.#slow()[0];
  }

  /** For claims: holds `moreBytes` more for `asking`, or throws `exceeded` / `request_memory`. */
  take(asking: BodyClaim, moreBytes: number): void {
    if (this.#heldBytes + moreBytes > this.#heldMax) this.#makeRoom(asking, moreBytes);
    if (this.#heldBytes + moreBytes > this.#heldMax) throw this.#full("");
    this.#heldBytes += moreBytes;
  }

  /** For claims. */
  give(sizeBytes: number): void {
    assert(this.#heldBytes >= sizeBytes, "bodies give back what they took");
    this.#heldBytes -= sizeBytes;
  }

  /** For claims: its request is over. */
  forget(claim: BodyClaim): void {
    this.#claims.delete(claim);
  }

  /**
   * Gives up slow bodies, the slowest first, until there is room or none is left. Never the one that asks, slow or not: what it
   * holds is about to be counted, and it is refused where the others make no room.
   */
  #makeRoom(asking: BodyClaim, moreBytes: number): void {
    for (const claim of this.#slow()) {
      if (this.#heldBytes + moreBytes <= this.#heldMax) return;
      if (claim === asking) continue;
      claim.giveUp(this.#full(", and this one came too slowly while others waited"));
    }
  }

  /** The bodies that come too slowly, the slowest first. */
  #slow(): readonly BodyClaim[] {
    const nowMs = this.#clock.monotonicMs();
    const slow: { claim: BodyClaim; rate: number }[] = [];
    for (const claim of this.#claims) {
      const ageMs = nowMs - claim.startMs;
      if (!claim.receiving || ageMs < this.#slowMs) continue;
      const rate = claim.receivedBytes / (ageMs / 1_000);
      if (rate < SLOW_BYTES_PER_SECOND) slow.push({ claim, rate });
    }
    slow.sort((left, right) => left.rate - right.rate);
    return slow.map(({ claim }) => claim);
  }

  #full(why: string): DbError {
    return new DbError(
      "exceeded",
      "request_memory",
      `the bodies of all requests together may hold ${this.#heldMax} bytes${why}; try again later`,
      { detail: { bodiesSizeMax: this.#heldMax } },
    );
  }
}

/** What the body of one request holds of the budget. */
export class BodyClaim implements Disposable {
  /** Bytes that came. */
  receivedBytes = 0;
  /** Whether more is waited for. */
  receiving = false;
  readonly #budget: BodyBudget;
  readonly #giveWay: (reason: DbError) => void;
  readonly #clock: Clock;
  #startMs = 0;
  #heldBytes = 0;
  #over = false;

  constructor(budget: BodyBudget, giveWay: (reason: DbError) => void, clock: Clock) {
    this.#budget = budget;
    this.#giveWay = giveWay;
    this.#clock = clock;
  }

  /** When the body was asked for. */
  get startMs(): number {
    return this.#startMs;
  }

  /** Whether a body may take at once what it says that it needs. */
  get ample(): boolean {
    return this.#budget.ample;
  }

  /** The client is asked for the body: from now on it can be slow. */
  begin(): void {
    if (this.#over) throw CLIENT_LEFT;
    this.#startMs = this.#clock.monotonicMs();
    this.receiving = true;
  }

  /**
   * From now on the body holds `sizeBytes`, in place of what it held. Throws `exceeded` / `request_memory`, or
   * `unavailable` / `client_left` when the request is over, and changes nothing.
   */
  hold(sizeBytes: number): void {
    if (this.#over && sizeBytes > 0) throw CLIENT_LEFT;
    const moreBytes = sizeBytes - this.#heldBytes;
    if (moreBytes > 0) this.#budget.take(this, moreBytes);
    else this.#budget.give(-moreBytes);
    this.#heldBytes = sizeBytes;
  }

  /** For the budget: the body is not wanted any more; what it holds is let go of at once. */
  giveUp(reason: DbError): void {
    this.#giveWay(reason);
  }

  /** The request is over: nothing is held for it any more. */
  [Symbol.dispose](): void {
    this.#over = true;
    this.receiving = false;
    this.hold(0);
    this.#budget.forget(this);
  }
}
