/** Runs a program over texts: each character once, whatever the program. */
import type { Look } from "./parse.ts";
import type { Step } from "./program.ts";
import { type CodeSet, has } from "./sets.ts";

/** What stands on one side of a place. */
type Side = "none" | "newline" | "word" | "other";

/** All places of the program where a search can be. */
interface State {
  readonly places: Int32Array;
  readonly before: Side;
  /** By the interval of the next character, as far as it was met. */
  readonly next: Map<number, State | boolean>;
}

/** Places and ways that are kept in mind; they are forgotten all together when they are more. */
const KEPT_MAX = 200_000;
/** Where newlines and characters of words begin and end. */
const SIDES = [0, 0x0a, 0x0b, 0x30, 0x3a, 0x41, 0x5b, 0x5f, 0x60, 0x61, 0x7b];
/** The interval of a text's end. */
const END = -1;

export class Automaton {
  readonly #program: readonly Step[];
  readonly #looks: boolean;
  /** Where intervals begin, of which all characters are the same to the program. */
  readonly #starts: Int32Array;
  readonly #ascii: Int32Array;
  readonly #states = new Map<string, State>();
  #kept = 0;
  /** Which places were visited in the round of that number. */
  readonly #visited: Int32Array;
  #round = 0;

  constructor(program: readonly Step[]) {
    this.#program = program;
    this.#looks = program.some(({ kind }) => kind === "look");
    this.#starts = startsOf(program);
    this.#ascii = Int32Array.from({ length: 128 }, (_, code) => this.#searchInterval(code));
    this.#visited = new Int32Array(program.length);
  }

  /** Whether the program finds something in `text`. */
  finds(text: string): boolean {
    let state = this.#state([], "none");
    for (let index = 0; index < text.length; index += 1) {
      const code = text.codePointAt(index) ?? 0;
      if (code > 0xffff) index += 1;
      const next = this.#next(state, this.#ascii[code] ?? this.#searchInterval(code));
      if (typeof next === "boolean") return next;
      state = next;
    }
    return this.#next(state, END) === true;
  }

  #searchInterval(code: number): number {
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= code) low = middle;
      else high = middle;
    }
    return low;
  }

  #next(state: State, interval: number): State | boolean {
    const known = state.next.get(interval);
    if (known !== undefined) return known;
    const next = this.#step(state, interval);
    state.next.set(interval, next);
    this.#kept += 1;
    return next;
  }

  /** True: something is found; false: the text ends, and nothing is. */
  #step({ places, before }: State, interval: number): State | boolean {
    const code = interval === END ? undefined : this.#starts[interval];
    const after = sideOf(code);
    const reached: number[] = [];
    this.#round += 1;
    const open = [...places];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (this.#visited[place] === this.#round) continue;
      this.#visited[place] = this.#round;
      const step = this.#program[place];
      if (step === undefined || step.kind === "found") return true;
      if (step.kind === "go") open.push(...step.targets);
      else if (step.kind === "look")
        open.push(...(isTrue(step.look, before, after) ? [place + 1] : []));
      else if (isIn(step.set, code)) reached.push(place + 1);
    }
    return code !== undefined && this.#state(reached, this.#looks ? after : "other");
  }

  /** With the start, as a find may begin anywhere. */
  #state(reached: readonly number[], before: Side): State {
    const places = Int32Array.from([0, ...reached]).toSorted();
    const key = `${before} ${places.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#kept > KEPT_MAX) {
      for (const { next } of this.#states.values()) next.clear();
      this.#states.clear();
      this.#kept = 0;
    }
    const state = { places, before, next: new Map<number, State | boolean>() };
    this.#states.set(key, state);
    this.#kept += places.length;
    return state;
  }
}

function startsOf(program: readonly Step[]): Int32Array {
  const starts = new Set(SIDES);
  const sets = new Set(program.flatMap((step) => (step.kind === "set" ? [step.set] : [])));
  for (const set of sets)
    for (const [index, code] of set.entries()) starts.add(index % 2 === 0 ? code : code + 1);
  return Int32Array.from(starts).toSorted();
}

function isIn(set: CodeSet, code: number | undefined): boolean {
  return code !== undefined && has(set, code);
}

function sideOf(code: number | undefined): Side {
  if (code === undefined) return "none";
  if (code === 0x0a) return "newline";
  return /\w/.test(String.fromCodePoint(code)) ? "word" : "other";
}

function isTrue(look: Look, before: Side, after: Side): boolean {
  switch (look) {
    case "textStart":
      return before === "none";
    case "textEnd":
      return after === "none";
    case "lineStart":
      return before === "none" || before === "newline";
    case "lineEnd":
      return after === "none" || after === "newline";
    case "border":
      return (before === "word") !== (after === "word");
    case "noBorder":
      return (before === "word") === (after === "word");
  }
}
