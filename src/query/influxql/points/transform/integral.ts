import type { LaneBuilder } from "../reduce/reducer.ts";
import type { Bucket, Windows } from "../values/window.ts";
import type { Transform } from "./transform.ts";

export interface IntegralOptions {
  readonly unitNs: bigint;
  readonly windows: Windows;
  readonly descending: boolean;
  /**
   * Whether the values are whole. InfluxDB 1 then takes for the area from the end of a bucket to the first value of the next one the mean of the
   * value at that end and the last one before it; and without a window the row has the time at which WHERE begins.
   */
  readonly whole: boolean;
}

/**
 * The area below the values, of straight lines from one to the next; for each bucket in which a value lies. The area before the first value of a
 * bucket, back to the last bucket that had one, is its own.
 */
export class Integral implements Transform {
  readonly type = "float64";
  readonly #options: IntegralOptions;
  #time: bigint | undefined;
  #value = 0;
  #sum = 0;
  /** Where the bucket begins and ends, in the order of rows. */
  #startNs = 0n;
  #endNs = 0n;

  constructor(options: IntegralOptions) {
    this.#options = options;
  }

  add(timeNs: bigint, value: number | bigint, output: LaneBuilder): void {
    const y = Number(value);
    if (this.#time === undefined) {
      this.#enter(timeNs);
    } else if (this.#time !== timeNs) {
      let final = y;
      if (this.#isPast(timeNs)) {
        const atEnd = this.#leave(timeNs, y, output);
        if (this.#options.whole) final = atEnd;
        else this.#value = atEnd;
        this.#enter(timeNs);
      }
      this.#sum += this.#area(timeNs, final);
    }
    this.#time = timeNs;
    this.#value = y;
  }

  finish(output: LaneBuilder): undefined {
    if (this.#time === undefined || this.#time === this.#startNs) return;
    output.bucketTime = this.#startNs;
    output.pushValue(this.#sum);
  }

  #isPast(timeNs: bigint): boolean {
    if (this.#options.windows.window === undefined) return false;
    return this.#options.descending ? timeNs <= this.#endNs : timeNs >= this.#endNs;
  }

  #enter(timeNs: bigint): void {
    const { windows, descending, whole } = this.#options;
    if (windows.window === undefined && !whole) return;
    const bucket: Bucket = windows.bucketAt(timeNs);
    this.#startNs = descending ? bucket.end : windows.rowTime(bucket);
    this.#endNs = descending ? bucket.start : bucket.end;
  }

  /** Closes the bucket at its end; gives the value that the line to the next one has there. */
  #leave(timeNs: bigint, value: number, output: LaneBuilder): number {
    const time = this.#time ?? timeNs;
    let atEnd = this.#options.whole ? value : this.#value;
    if (time !== this.#endNs) {
      const slope = (value - this.#value) / Number(timeNs - time);
      atEnd = slope * Number(this.#endNs - time) + this.#value;
      this.#sum += this.#area(this.#endNs, atEnd);
      this.#time = this.#endNs;
    }
    output.bucketTime = this.#startNs;
    output.pushValue(this.#sum);
    this.#sum = 0;
    return atEnd;
  }

  #area(timeNs: bigint, value: number): number {
    const width = Number(timeNs - (this.#time ?? timeNs)) / Number(this.#options.unitNs);
    return 0.5 * (value + this.#value) * width;
  }
}
