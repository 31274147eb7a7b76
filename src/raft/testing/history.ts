import { assert } from "#base/errors.ts";
import type { LogStorage } from "../log/storage.ts";
import type { Entry, HardState, PeerId } from "../message.ts";

/** The terms of a log's entries. */
export interface LogTerms {
  readonly firstIndex: number;
  readonly lastIndex: number;
  term(index: number): number | undefined;
}

export function termsOf(storage: LogStorage): LogTerms {
  return {
    firstIndex: storage.firstIndex(),
    lastIndex: storage.lastIndex(),
    term: (index) => storage.term(index),
  };
}

/** What all nodes together have done, held to the promises of raft.pdf figure 3 each time that something is added. */
export class History {
  /** Entries by term and index. */
  readonly #entries = new Map<string, string>();
  /** The term of the entry before each, by term and index. */
  readonly #previous = new Map<string, number>();
  readonly #applied = new Map<number, string>();
  readonly #committed = new Map<number, { readonly term: number; readonly inTerm: number }>();
  readonly #leaders = new Map<number, string>();
  readonly #votes = new Map<string, number>();
  readonly #reads = new Map<string, { readonly id: PeerId; readonly index: number }>();
  #appliedMax = 0;

  /** Two entries of one term at one index are one entry. */
  noteEntry(entry: Entry): void {
    const key = `${entry.term}/${entry.index}`;
    const content = contentOf(entry);
    const known = this.#entries.get(key) ?? content;
    assert(known === content, `log matching: entry ${key} is two`);
    this.#entries.set(key, content);
  }

  /** Two logs that share an entry share all before it. */
  noteLog(log: LogTerms): void {
    for (let index = log.lastIndex; index > log.firstIndex; index -= 1) {
      const key = `${log.term(index)}/${index}`;
      const previous = log.term(index - 1) ?? 0;
      const known = this.#previous.get(key) ?? previous;
      assert(known === previous, `log matching: before entry ${key} are two`);
      this.#previous.set(key, previous);
    }
  }

  /** A node votes for one a term. */
  noteHardState(id: PeerId, { term, vote }: HardState): void {
    if (vote === 0) return;
    const known = this.#votes.get(`${id}/${term}`) ?? vote;
    assert(known === vote, `node ${id} voted for ${known} and ${vote} in term ${term}`);
    this.#votes.set(`${id}/${term}`, vote);
  }

  /** What is committed at an index stays: the entry of `term` is, as a node in `inTerm` knows. */
  noteCommitted(index: number, term: number, inTerm: number): void {
    const known = this.#committed.get(index);
    assert(
      known === undefined || known.term === term,
      `state machine safety: ${index} was committed as of term ${known?.term} and of ${term}`,
    );
    if (known === undefined || inTerm < known.inTerm) this.#committed.set(index, { term, inTerm });
  }

  /** State machine safety: what one node applies at an index, all do. */
  noteApplied(entry: Entry): void {
    const content = `${entry.term} ${contentOf(entry)}`;
    const known = this.#applied.get(entry.index) ?? content;
    assert(known === content, `state machine safety: ${entry.index} was applied as two`);
    this.#applied.set(entry.index, content);
    this.#appliedMax = Math.max(this.#appliedMax, entry.index);
  }

  /**
   * Election safety: a term has one leader, `who`, in one run of its process. Leader completeness: its log has all that was committed in earlier
   * terms. Answers whether it is a new one.
   */
  noteLeader(who: string, term: number, log: LogTerms): boolean {
    const known = this.#leaders.get(term);
    assert(
      known === undefined || known === who,
      `election safety: ${known} and ${who} lead ${term}`,
    );
    if (known !== undefined) return false;
    this.#leaders.set(term, who);
    for (const [index, committed] of this.#committed) {
      if (index < log.firstIndex || committed.inTerm >= term) continue;
      assert(
        log.term(index) === committed.term,
        `leader completeness: ${who}, which leads ${term}, lacks ${index}, committed in ${committed.inTerm}`,
      );
    }
    return true;
  }

  /** A read begins; answers its context. */
  beginRead(id: PeerId): string {
    const context = `read ${this.#reads.size}`;
    this.#reads.set(context, { id, index: this.#appliedMax });
    return context;
  }

  /** A read sees all that anybody has applied before it began. */
  noteRead(id: PeerId, context: string, index: number): void {
    const read = this.#reads.get(context);
    assert(read?.id === id, `${context} was answered to another than asked`);
    assert(read.index <= index, `${context} at ${index} misses what was applied at ${read.index}`);
  }
}

function contentOf({ kind, data }: Entry): string {
  return `${kind} ${new TextDecoder().decode(data)}`;
}
