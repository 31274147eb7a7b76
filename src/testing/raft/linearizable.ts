/**
 * Whether what clients saw of registers could have happened one operation at a time, each between its call and its answer: the search of
 * Wing and Gong ("Testing and verifying concurrent objects", 1993) with Lowe's memory of states that led nowhere
 * ("Testing for linearizability", 2017). Registers do not know of each other, so each has a search of its own.
 */

export interface Operation {
  readonly key: string;
  readonly action:
    | { readonly kind: "write"; readonly value: string }
    | { readonly kind: "swap"; readonly expected: string; readonly value: string }
    | { readonly kind: "read" };
  /** When it was called, and answered, on one clock; undefined where no answer came: it may have happened, at any time after. */
  readonly calledMs: number;
  readonly answeredMs: number | undefined;
  /** What a read saw, or whether a swap wrote; undefined without an answer. */
  readonly answer: string | boolean | undefined;
}

export type Verdict =
  | { readonly kind: "linearizable" }
  | { readonly kind: "violation"; readonly key: string; readonly operations: readonly Operation[] }
  /** The search was given up: it says nothing. */
  | { readonly kind: "unknown"; readonly key: string };

/** Operations tried, of one register. */
const STEPS_MAX = 5_000_000;

interface Event {
  readonly operation: Operation;
  readonly number: number;
  readonly isCall: boolean;
}

/** A list that events are taken out of and put back in. */
interface Link {
  readonly event: Event | undefined;
  next: Link | undefined;
  previous: Link | undefined;
  /** Of a call: its answer. */
  answer: Link | undefined;
}

export function checkLinearizable(history: readonly Operation[]): Verdict {
  for (const [key, operations] of Map.groupBy(history, (operation) => operation.key)) {
    const outcome = new Search(operations).run();
    if (outcome === "violation") return { kind: "violation", key, operations };
    if (outcome === "unknown") return { kind: "unknown", key };
  }
  return { kind: "linearizable" };
}

/** The search in the operations of one register. */
class Search {
  readonly #head: Link;
  readonly #done: Done;
  readonly #seen = new Set<string>();
  readonly #taken: { readonly call: Link; readonly before: string; readonly answered: boolean }[] =
    [];
  /** Operations with an answer that are not taken. */
  #left: number;
  #value = "";
  #at: Link | undefined;
  /** Operations without an answer are tried last: most of them are not needed. */
  #answered = true;

  constructor(all: readonly Operation[]) {
    const operations = all.filter(countsIn(all));
    this.#head = linked(operations);
    this.#at = this.#head.next;
    this.#done = new Done(operations.length);
    this.#left = operations.filter(({ answeredMs }) => answeredMs !== undefined).length;
  }

  run(): Verdict["kind"] {
    for (let steps = 0; this.#left > 0; steps++) {
      if (steps > STEPS_MAX) return "unknown";
      const at = this.#at;
      if (at?.event?.isCall === true) this.#try(at, at.event);
      else if (this.#answered) {
        // An answer, or the end: nothing that was called after it comes before it.
        this.#at = this.#head.next;
        this.#answered = false;
      } else if (!this.#undo()) return "violation";
    }
    return "linearizable";
  }

  #try(call: Link, { number, operation }: Event): void {
    const wanted = (operation.answeredMs !== undefined) === this.#answered;
    const next = wanted ? step(operation, this.#value) : undefined;
    if (next === undefined || !this.#isNew(number, next)) {
      this.#at = call.next;
      return;
    }
    this.#taken.push({ call, before: this.#value, answered: this.#answered });
    this.#done.add(number);
    if (this.#answered) this.#left -= 1;
    this.#value = next;
    remove(call);
    this.#at = this.#head.next;
    this.#answered = true;
  }

  /** Takes the last operation back, to go on behind it; false where there is none. */
  #undo(): boolean {
    const last = this.#taken.pop();
    if (last === undefined) return false;
    this.#done.delete(last.call.event?.number ?? 0);
    if (last.answered) this.#left += 1;
    this.#value = last.before;
    this.#answered = last.answered;
    restore(last.call);
    this.#at = last.call.next;
    return true;
  }

  #isNew(number: number, value: string): boolean {
    this.#done.add(number);
    const state = `${this.#done.key}|${value}`;
    this.#done.delete(number);
    if (this.#seen.has(state)) return false;
    this.#seen.add(state);
    return true;
  }
}

/**
 * Whether an operation can make a difference. One without an answer makes none where it reads, or writes what nobody saw: then nobody
 * can tell whether it happened. Swaps that did not write may have seen anything.
 */
function countsIn(all: readonly Operation[]): (operation: Operation) => boolean {
  const sawAnything = all.some(({ action, answer }) => action.kind === "swap" && answer === false);
  const seen = new Set(
    all.flatMap(({ action, answer }) => {
      if (action.kind === "swap") return [action.expected];
      return typeof answer === "string" ? [answer] : [];
    }),
  );
  return ({ action, answeredMs }) => {
    if (answeredMs !== undefined) return true;
    return action.kind !== "read" && (sawAnything || seen.has(action.value));
  };
}

/** Numbers of operations that are taken, most of them without gaps from 0. */
class Done {
  readonly #flags: Uint8Array;
  /** All below are there. */
  #low = 0;
  /** None are there from here on. */
  #high = 0;

  constructor(count: number) {
    this.#flags = new Uint8Array(count);
  }

  add(number: number): void {
    this.#flags[number] = 1;
    while (this.#flags[this.#low] === 1) this.#low += 1;
    this.#high = Math.max(this.#high, number + 1);
  }

  delete(number: number): void {
    this.#flags[number] = 0;
    this.#low = Math.min(this.#low, number);
    while (this.#high > this.#low && this.#flags[this.#high - 1] === 0) this.#high -= 1;
  }

  /** Tells sets apart. */
  get key(): string {
    return `${this.#low}|${this.#flags.subarray(this.#low, this.#high).join("")}`;
  }
}

/** What a register that holds `value` holds after `operation`; undefined where the answer would have been another. */
function step({ action, answer }: Operation, value: string): string | undefined {
  switch (action.kind) {
    case "read":
      return answer === value ? value : undefined;
    case "write":
      return action.value;
    case "swap": {
      const wrote = action.expected === value;
      if (answer !== undefined && answer !== wrote) return undefined;
      return wrote ? action.value : value;
    }
  }
}

/** Calls and answers in the order of their times; at one time calls come first, for they may overlap. */
function linked(operations: readonly Operation[]): Link {
  const timed = operations
    .toSorted((left, right) => left.calledMs - right.calledMs)
    .flatMap((operation, number) => {
      const call = { atMs: operation.calledMs, event: { operation, number, isCall: true } };
      const atMs = operation.answeredMs ?? Number.POSITIVE_INFINITY;
      return [call, { atMs, event: { operation, number, isCall: false } }];
    })
    .toSorted(
      (left, right) =>
        left.atMs - right.atMs || Number(right.event.isCall) - Number(left.event.isCall),
    );
  const head: Link = { event: undefined, next: undefined, previous: undefined, answer: undefined };
  const calls = new Map<number, Link>();
  let last = head;
  for (const { event } of timed) {
    const link: Link = { event, next: undefined, previous: last, answer: undefined };
    last.next = link;
    last = link;
    if (event.isCall) calls.set(event.number, link);
    else {
      const call = calls.get(event.number);
      if (call !== undefined) call.answer = link;
    }
  }
  return head;
}

/** Takes a call and its answer out. */
function remove(call: Link): void {
  unlink(call);
  if (call.answer !== undefined) unlink(call.answer);
}

function restore(call: Link): void {
  if (call.answer !== undefined) relink(call.answer);
  relink(call);
}

function unlink(link: Link): void {
  if (link.previous !== undefined) link.previous.next = link.next;
  if (link.next !== undefined) link.next.previous = link.previous;
}

function relink(link: Link): void {
  if (link.previous !== undefined) link.previous.next = link;
  if (link.next !== undefined) link.next.previous = link;
}
