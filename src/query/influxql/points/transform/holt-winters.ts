import { DbError } from "#base/errors.ts";
import type { LaneBuilder } from "../reduce/reducer.ts";
import type { Work } from "../values/work.ts";
import { type Minimum, minimize } from "./nelder-mead.ts";
import type { Transform } from "./transform.ts";

export interface HoltWintersOptions {
  /** How many values are foretold. */
  readonly horizon: number;
  /** Values of one season; below 2 there is none. */
  readonly season: number;
  readonly everyNs: bigint;
  /** Whether the fitted values of the past are given, too. */
  readonly withFit: boolean;
  readonly work: Work;
}

/** The fit looks at all of them some 20,000 times: of so many for half a second. */
const POINTS_MAX = 1000;
const FORECASTS_MAX = 100_000;
const WEIGHT = 0.5;
const TOLERANCE = 1e-4;
/** First guesses of each of the four factors. */
const GUESSES = [0.3, 0.7] as const;
const FACTORS = 4;
const LEVEL = 4;
const TREND = 5;
const SEASONS = 6;

/** Foretells values by the damped method of Holt and Winters, with the factors whose squared error is least. */
export class HoltWinters implements Transform {
  readonly type = "float64";
  readonly #options: HoltWintersOptions;
  readonly #times: bigint[] = [];
  readonly #values: number[] = [];

  constructor(options: HoltWintersOptions) {
    this.#options = options;
  }

  add(timeNs: bigint, value: number | bigint): void {
    if (this.#times.length === POINTS_MAX) throw tooMany();
    this.#times.push(timeNs);
    this.#values.push(Number(value));
  }

  async finish(output: LaneBuilder): Promise<void> {
    const { horizon, season, everyNs, withFit, work } = this.#options;
    const [first, last] = [this.#times[0], this.#times.at(-1)];
    if (first === undefined || last === undefined || this.#times.length < 2) return;
    if (horizon <= 0 || (season >= 2 && this.#times.length < season)) return;
    const known = this.#regular();
    if (known === undefined) return;
    if (horizon > FORECASTS_MAX) throw tooFar();
    const forecast = await fitted(known, { season, horizon, work });
    forecast.forEach((value, index) => {
      if (Number.isNaN(value) || (!withFit && index < known.length)) return;
      output.bucketTime = withFit
        ? first + everyNs * BigInt(index)
        : last + everyNs * BigInt(index - known.length + 1);
      output.pushValue(value);
    });
  }

  /** One value for each step of time, NaN where there is none; undefined for too few. */
  #regular(): Float64Array | undefined {
    const rounded = this.#times.map((timeNs) => roundTo(timeNs, this.#options.everyNs));
    const first = rounded[0] ?? 0n;
    const steps = ((rounded.at(-1) ?? first) - first) / this.#options.everyNs;
    if (steps <= 0n) return undefined;
    if (steps >= BigInt(POINTS_MAX)) throw tooMany();
    const values = new Float64Array(Number(steps) + 1).fill(Number.NaN);
    let reached = -1;
    rounded.forEach((timeNs, index) => {
      const step = Number((timeNs - first) / this.#options.everyNs);
      if (step <= reached) return;
      reached = step;
      values[step] = this.#values[index] ?? Number.NaN;
    });
    return values;
  }
}

function tooMany(): DbError {
  return new DbError(
    "exceeded",
    "influxql_forecast_too_long",
    `holt_winters() takes at most ${POINTS_MAX} points: use a shorter time range or larger buckets`,
    { detail: { max: POINTS_MAX } },
  );
}

function tooFar(): DbError {
  return new DbError(
    "exceeded",
    "influxql_forecast_too_long",
    `holt_winters() foretells at most ${FORECASTS_MAX} values: ask for fewer`,
    { detail: { max: FORECASTS_MAX } },
  );
}

function roundTo(timeNs: bigint, everyNs: bigint): bigint {
  const whole = timeNs / everyNs;
  return (timeNs % everyNs > everyNs / 2n ? whole + 1n : whole) * everyNs;
}

/** The values of the past as they are fitted, and `horizon` of the future. */
async function fitted(
  known: Float64Array,
  { season, horizon, work }: Pick<HoltWintersOptions, "season" | "horizon" | "work">,
): Promise<Float64Array> {
  const start = firstGuess(known, season);
  const search = {
    cost: (point: Float64Array) => squaredError(known, point, season),
    tolerance: TOLERANCE,
    costSteps: known.length * (season < 2 ? 2 : 6),
    pace: (steps: number) => work.didFit(steps),
  };
  let best: Minimum | undefined;
  for (let guess = 0; guess < GUESSES.length ** FACTORS; guess += 1) {
    for (let factor = 0; factor < FACTORS; factor += 1) {
      start[factor] = GUESSES[(guess >> (FACTORS - 1 - factor)) & 1] ?? 0;
    }
    const found = await minimize(search, start);
    if (best === undefined || found.cost < best.cost) best = found;
  }
  await work.didFit(known.length + horizon);
  return forecastOf(known, best?.point ?? start, season, horizon);
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? Number.NaN;
}

/** Factors (set by the caller), level, trend, and of each value of a season its factor. */
function firstGuess(known: Float64Array, season: number): Float64Array {
  if (season < 2) {
    const point = new Float64Array(SEASONS);
    point[LEVEL] = WEIGHT * at(known, 0);
    const change = WEIGHT * (at(known, 1) - at(known, 0));
    point[TREND] = Number.isNaN(change) ? 0 : change;
    return point;
  }
  const point = new Float64Array(SEASONS + season);
  let level = 0;
  let trend = 0;
  for (let i = 0; i < season; i += 1) {
    const value = at(known, i);
    if (Number.isNaN(value)) continue;
    level += (1 / season) * value;
    const change = at(known, season + i) - value;
    if (!Number.isNaN(change)) trend += (1 / (season * season)) * change;
  }
  point[LEVEL] = level;
  point[TREND] = trend;
  for (let i = 0; i < season; i += 1) {
    point[SEASONS + i] = Number.isNaN(at(known, i)) ? 0 : at(known, i) / level;
  }
  return point;
}

function squaredError(known: Float64Array, point: Float64Array, season: number): number {
  const forecast = forecastOf(known, point, season, 0);
  let sum = 0;
  for (let i = 0; i < known.length; i += 1) {
    const value = at(known, i);
    if (Number.isNaN(value)) continue;
    const error = at(forecast, i) - value;
    if (Number.isNaN(error)) return Number.POSITIVE_INFINITY;
    sum += error * error;
  }
  return sum;
}

/** By squaring, whose roundings the search for the least error goes by. */
function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest >>= 1) {
    if ((rest & 1) === 1) result *= square;
    square *= square;
  }
  return result;
}

/** Walks from the first value on. Brings the factors of `point` into 0 to 1, and leaves in it the seasons' factors as they became. */
function forecastOf(
  known: Float64Array,
  point: Float64Array,
  season: number,
  horizon: number,
): Float64Array {
  for (let i = 0; i < FACTORS; i += 1) {
    if (at(point, i) > 1) point[i] = 1;
    if (at(point, i) < 0) point[i] = 0;
  }
  const [alpha, beta, gamma, phi] = [at(point, 0), at(point, 1), at(point, 2), at(point, 3)];
  const seasonal = season >= 2;
  let value = at(known, 0);
  let level = at(point, LEVEL);
  let trend = at(point, TREND);
  let damping = phi;
  let settled = false;
  const result = new Float64Array(known.length + horizon);
  result[0] = value;
  for (let t = 1; t < result.length; t += 1) {
    // The ring of the seasons' factors turns by two a step: its offset grows as `t` does.
    const ring = t - 1 + season - 1;
    const past = seasonal ? at(point, SEASONS + ((t - season + ring) % season)) : 1;
    const ahead = seasonal ? at(point, SEASONS + ((t - season + (t % season) + ring) % season)) : 1;
    const expected = level + phi * trend;
    const nextLevel = alpha * (value / past) + (1 - alpha) * expected;
    const nextTrend = beta * (nextLevel - level) + (1 - beta) * phi * trend;
    if (seasonal) {
      point[SEASONS + ((t + ring) % season)] = gamma * (value / expected) + (1 - gamma) * past;
    }
    value = (nextLevel + damping * nextTrend) * ahead;
    level = nextLevel;
    trend = nextTrend;
    if (!settled) {
      const more = damping + power(phi, t);
      // What is added grows ever smaller.
      settled = more === damping;
      damping = more;
    }
    result[t] = value;
  }
  return result;
}
