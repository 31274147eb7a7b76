/** How large entries count, for the limits of messages and of what is applied at once. */
import type { Entry, Proposal } from "../message.ts";

/** What an entry takes beside its data: term, index, kind and lengths. */
const ENTRY_OVERHEAD_BYTES = 24;

export function entriesSizeBytes(entries: readonly Entry[]): number {
  return payloadSizeBytes(entries) + entries.length * ENTRY_OVERHEAD_BYTES;
}

/** Data alone. The empty entry of a new leader and the one that leaves a joint configuration count nothing. */
export function payloadSizeBytes(entries: readonly Proposal[]): number {
  let sizeBytes = 0;
  for (const { data } of entries) sizeBytes += data.length;
  return sizeBytes;
}

/**
 * Those of `entries` from position `start` up to before `end` that together stay within `sizeBytesMax`: at least one, where there is one.
 */
export function sliceWithin(
  entries: readonly Entry[],
  start: number,
  end: number,
  sizeBytesMax: number,
): readonly Entry[] {
  let sizeBytes = 0;
  for (let position = start; position < end; position += 1) {
    sizeBytes += (entries[position]?.data.length ?? 0) + ENTRY_OVERHEAD_BYTES;
    if (sizeBytes > sizeBytesMax && position > start) return entries.slice(start, position);
  }
  return entries.slice(start, end);
}
