/** The downhill simplex of Nelder and Mead (1965), with the constants that InfluxDB 1 fits with. */
const ROUNDS_MAX = 1000;
const REFLECTION = 1;
const CONTRACTION = 0.5;
const EXPANSION = 2;

export interface Minimum {
  readonly cost: number;
  readonly point: Float64Array;
}

export interface Search {
  /** May move the point that it is given, and the simplex moves with it. */
  readonly cost: (point: Float64Array) => number;
  readonly tolerance: number;
  /** Steps of one call of `cost`. */
  readonly costSteps: number;
  /** Is told of steps that were made; where it answers a promise, the search goes on when that resolves. */
  readonly pace: (steps: number) => Promise<void> | undefined;
}

/**
 * Looks for the least cost, beginning around `start`. It ends when the costs of all corners deviate by less than `tolerance`, or after 1000
 * rounds. Rejects with what `cost` and `pace` throw.
 */
export async function minimize(search: Search, start: Float64Array): Promise<Minimum> {
  const { cost, tolerance, costSteps, pace } = search;
  await pace((start.length + 1) * costSteps);
  const simplex = new Simplex(cost, start);
  // Two to four points are tried; the middle is that of all corners.
  const roundSteps = 3 * costSteps + 2 * start.length * start.length + 100;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    simplex.step();
    const pause = pace(roundSteps);
    if (pause !== undefined) await pause;
    if (simplex.deviation() < tolerance) break;
  }
  return simplex.best();
}

class Simplex {
  readonly #cost: (point: Float64Array) => number;
  readonly #size: number;
  readonly #corners: Float64Array[];
  readonly #costs: Float64Array;

  constructor(cost: (point: Float64Array) => number, start: Float64Array) {
    const size = start.length;
    const root = Math.sqrt(size + 1) - 1;
    const far = (root + size) / (size * Math.SQRT2);
    const near = root / (size * Math.SQRT2);
    this.#cost = cost;
    this.#size = size;
    this.#corners = Array.from({ length: size + 1 }, (_, corner) =>
      corner === 0
        ? start.slice()
        : start.map((value, axis) => value + (axis === corner - 1 ? far : near)),
    );
    this.#costs = Float64Array.from(this.#corners, (corner) => cost(corner));
  }

  /** One round: the worst corner moves, or all draw near the best. */
  step(): void {
    const costs = this.#costs;
    const { least, second, greatest } = this.#ranks();
    const middle = this.#middle(greatest);
    const reflected = along(middle, this.#corner(greatest), -REFLECTION);
    const cost = this.#cost(reflected);
    const [costLeast, costSecond] = [at(costs, least), at(costs, second)];
    if (cost < costSecond && cost >= costLeast) this.#replace(greatest, reflected, cost);
    if (cost < costLeast) this.#expand(greatest, middle, { point: reflected, cost });
    // The ranks may have moved: the second is compared as it is now.
    if (cost >= at(costs, second)) {
      this.#contract({ least, second, greatest }, middle, { point: reflected, cost });
    }
  }

  deviation(): number {
    const mean = this.#costs.reduce((sum, cost) => sum + cost, 0) / (this.#size + 1);
    return Math.sqrt(this.#costs.reduce((sum, cost) => sum + (cost - mean) ** 2 / this.#size, 0));
  }

  best(): Minimum {
    let least = 0;
    this.#costs.forEach((cost, corner) => {
      if (cost < at(this.#costs, least)) least = corner;
    });
    const point = this.#corner(least).slice();
    return { cost: this.#cost(this.#corner(least)), point };
  }

  #corner(index: number): Float64Array {
    return this.#corners[index] ?? new Float64Array(this.#size);
  }

  #ranks(): { least: number; second: number; greatest: number } {
    const costs = this.#costs;
    let least = 0;
    let greatest = 0;
    for (let i = 0; i < costs.length; i += 1) {
      if (at(costs, i) > at(costs, greatest)) greatest = i;
      if (at(costs, i) < at(costs, least)) least = i;
    }
    let second = least;
    for (let i = 0; i < costs.length; i += 1) {
      if (at(costs, i) > at(costs, second) && at(costs, i) < at(costs, greatest)) second = i;
    }
    return { least, second, greatest };
  }

  /** The mean of all corners but one. */
  #middle(without: number): Float64Array {
    const middle = new Float64Array(this.#size);
    for (const [index, corner] of this.#corners.entries()) {
      if (index === without) continue;
      for (let axis = 0; axis < middle.length; axis += 1) {
        middle[axis] = at(middle, axis) + at(corner, axis);
      }
    }
    return middle.map((sum) => sum / this.#size);
  }

  #replace(corner: number, point: Float64Array, cost: number): void {
    this.#corner(corner).set(point);
    this.#costs[corner] = cost;
  }

  #expand(corner: number, middle: Float64Array, reflected: Minimum): void {
    const point = along(middle, reflected.point, EXPANSION);
    const cost = this.#cost(point);
    if (cost < reflected.cost) this.#replace(corner, point, cost);
    else this.#replace(corner, reflected.point, reflected.cost);
  }

  #contract(
    ranks: { least: number; second: number; greatest: number },
    middle: Float64Array,
    reflected: Minimum,
  ): void {
    const worst = at(this.#costs, ranks.greatest);
    const towards = reflected.cost < worst ? reflected.point : this.#corner(ranks.greatest);
    const point = along(middle, towards, CONTRACTION);
    const cost = this.#cost(point);
    if (cost < worst) {
      this.#replace(ranks.greatest, point, cost);
      return;
    }
    const center = this.#corner(ranks.least);
    this.#corners.forEach((corner, index) => {
      if (index === ranks.least) return;
      corner.set(corner.map((value, axis) => at(center, axis) + (value - at(center, axis)) / 2));
    });
    for (const index of [ranks.greatest, ranks.second]) {
      this.#costs[index] = this.#cost(this.#corner(index));
    }
  }
}

/** The point on the line from `from` through `to`, `factor` times as far. */
function along(from: Float64Array, to: Float64Array, factor: number): Float64Array {
  return from.map((value, axis) => value + factor * (at(to, axis) - value));
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? Number.NaN;
}
