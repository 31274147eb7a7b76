import type { Points, SeriesKey } from "../points.ts";
import { sameSeries } from "./merge.ts";
import { checkHeld } from "./reduce/reducer.ts";

export interface SeriesLimit {
  readonly seriesLimit: number;
  readonly seriesOffset: number;
  readonly descending: boolean;
}

/** SLIMIT and SOFFSET: series of one measurement, counted from the least, in whichever order they come. */
export async function* limitSeries(
  points: AsyncIterable<Points>,
  limit: SeriesLimit,
): AsyncGenerator<Points> {
  if (limit.seriesLimit === 0 && limit.seriesOffset === 0) yield* points;
  else if (limit.descending) yield* fromTheEnd(points, limit);
  else yield* fromTheStart(points, limit);
}

async function* fromTheStart(
  points: AsyncIterable<Points>,
  { seriesLimit, seriesOffset }: SeriesLimit,
): AsyncGenerator<Points> {
  let current: SeriesKey | undefined;
  let index = -1;
  for await (const piece of points) {
    if (current === undefined || !sameSeries(current, piece.series)) index += 1;
    current = piece.series;
    if (index < seriesOffset) continue;
    if (seriesLimit === 0 || index < seriesOffset + seriesLimit) yield piece;
    else return;
  }
}

/** Keeps the last series until it is known which are to be left out behind them. */
async function* fromTheEnd(
  points: AsyncIterable<Points>,
  { seriesLimit, seriesOffset }: SeriesLimit,
): AsyncGenerator<Points> {
  const kept: Points[][] = [];
  let held = 0;
  let current: SeriesKey | undefined;
  for await (const piece of points) {
    if (current === undefined || !sameSeries(current, piece.series)) kept.push([]);
    current = piece.series;
    kept.at(-1)?.push(piece);
    held += piece.rowCount;
    checkHeld(held, "SLIMIT");
    if (kept.length <= seriesOffset + seriesLimit) continue;
    const first = kept.shift() ?? [];
    held -= first.reduce((sum, { rowCount }) => sum + rowCount, 0);
    if (seriesLimit === 0) yield* first;
  }
  for (const pieces of kept.slice(0, Math.max(0, kept.length - seriesOffset))) yield* pieces;
}
