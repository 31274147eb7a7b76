/** Which rows need not be kept: newer ones of the same node say all that they say. */
import { nodeOfStamp } from "#model/stamp.ts";
import type { Rows } from "../files/rows.ts";

/** Rows with one series and time and of one node, more than one, newest first; one chain behind the other. */
interface Chains {
  /** Places in the sorted rows. */
  readonly places: Uint32Array;
  /** Where each chain begins in `places`, and where the last one ends. */
  readonly starts: Uint32Array;
}

/** For each field, tells of each row whether it has a value there (1 or 0); undefined where every row has one. */
export type FieldPresences = Iterable<Uint8Array | undefined>;

/**
 * `sorted` without the rows that newer rows of the same node with the same series and time make superfluous: each field that such a row
 * has a value in, one of those has one in, too. Rows of other nodes do not count: a delete cuts between the two.
 */
export function foldRows(
  rows: Rows,
  sorted: Uint32Array,
  presences: () => FieldPresences,
): Uint32Array {
  const chains = findChains(rows, sorted);
  if (chains.places.length === 0) return sorted;
  const needed = neededOf(chains, sorted, presences());
  const kept = new Uint8Array(sorted.length).fill(1);
  for (let i = 0; i < needed.length; i += 1)
    if (needed[i] === 0) kept[chains.places[i] as number] = 0;
  return sorted.filter((_, place) => kept[place] === 1);
}

function findChains({ series, stampCodes, stamps, times }: Rows, sorted: Uint32Array): Chains {
  const halves = new Int32Array(times.buffer, times.byteOffset, 2 * times.length);
  const nodes = Uint32Array.from(stamps, nodeOfStamp);
  const nodeAt = (place: number) => nodes[stampCodes[sorted[place] as number] as number] as number;
  const places: number[] = [];
  const starts: number[] = [];
  let start = 0;
  for (let place = 1; place <= sorted.length; place += 1) {
    if (place < sorted.length) {
      const row = sorted[place] as number;
      const before = sorted[place - 1] as number;
      const same =
        series[row] === series[before] &&
        halves[2 * row] === halves[2 * before] &&
        halves[2 * row + 1] === halves[2 * before + 1];
      if (same) continue;
    }
    if (place - start > 1) addChains({ start, end: place, nodeAt }, places, starts);
    start = place;
  }
  starts.push(places.length);
  return { places: Uint32Array.from(places), starts: Uint32Array.from(starts) };
}

/** The chains of the rows from place `start` to `end`, which have one series and time. */
function addChains(
  { end, nodeAt, start }: { start: number; end: number; nodeAt: (place: number) => number },
  places: number[],
  starts: number[],
): void {
  const byNode = new Map<number, number[]>();
  for (let place = end - 1; place >= start; place -= 1) {
    const node = nodeAt(place);
    const chain = byNode.get(node);
    if (chain === undefined) byNode.set(node, [place]);
    else chain.push(place);
  }
  for (const chain of byNode.values()) {
    if (chain.length < 2) continue;
    starts.push(places.length);
    for (const place of chain) places.push(place);
  }
}

/** 1 or 0 for each row of the chains: the newest of each chain, and those that are the newest in some field. */
function neededOf(
  { places, starts }: Chains,
  sorted: Uint32Array,
  presences: FieldPresences,
): Uint8Array {
  const needed = new Uint8Array(places.length);
  for (let chain = 0; chain < starts.length - 1; chain += 1) needed[starts[chain] as number] = 1;
  for (const present of presences) {
    // The newest row has it.
    if (present === undefined) continue;
    for (let chain = 0; chain < starts.length - 1; chain += 1) {
      const end = starts[chain + 1] as number;
      for (let i = starts[chain] as number; i < end; i += 1) {
        if (present[sorted[places[i] as number] as number] !== 1) continue;
        needed[i] = 1;
        break;
      }
    }
  }
  return needed;
}
