import { type Change, decodeChange } from "#raft/configuration/change.ts";
import type { ConfigurationState, Entry, Message, Snapshot } from "#raft/message.ts";
import { Jobs } from "../jobs.ts";
import type { SnapshotMark } from "../log/items.ts";
import { decodeProposed, type ProposedCommand } from "./proposals.ts";
import type { StateMachine } from "./state-machine.ts";

type Job =
  | { readonly kind: "apply"; readonly message: Message; readonly done?: undefined }
  | {
      readonly kind: "restore";
      readonly snapshot: Snapshot;
      readonly done: PromiseWithResolvers<void>;
    };

export interface ApplyingOptions<Answer> {
  readonly machine: StateMachine<Answer>;
  /** Where the state machine is as this begins. */
  readonly mark: SnapshotMark;
  readonly read: (snapshot: Snapshot) => AsyncIterable<Uint8Array>;
  /** Puts a change of the group in force. */
  readonly change: (change: Change) => ConfigurationState;
  readonly answer: (proposed: ProposedCommand, answer: Answer) => void;
  /** All entries of this message are applied. */
  readonly applied: (message: Message) => void;
  /** The state machine is where a snapshot put it. */
  readonly restored: () => void;
  readonly failed: (error: unknown) => void;
}

/** The apply thread: what the group has agreed on, in order, each entry once. */
export class Applying<Answer> {
  readonly #options: ApplyingOptions<Answer>;
  #at: SnapshotMark;
  readonly #jobs: Jobs<Job>;
  #bytes = 0;
  #changing = false;

  constructor(options: ApplyingOptions<Answer>) {
    this.#options = options;
    this.#at = options.mark;
    this.#jobs = new Jobs<Job>({
      countOf: () => 1,
      work: async ([job]) => job && this.#work(job),
      failed: options.failed,
    });
  }

  /** Whether the state machine is on its way to another state, and is not that of `at`. */
  get changing(): boolean {
    return this.#changing;
  }

  /** The last entry that is applied, and who was in the group then. */
  get at(): SnapshotMark {
    return this.#at;
  }

  /** Of data applied since the start. */
  get bytes(): number {
    return this.#bytes;
  }

  apply(message: Message): void {
    this.#jobs.add({ kind: "apply", message });
  }

  /** Resolves when the state machine is at `snapshot`; rejects where that fails, which ends the member. */
  restore(snapshot: Snapshot): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#jobs.add({ kind: "restore", snapshot, done });
    return done.promise;
  }

  stop(): Promise<void> {
    return this.#jobs.stop();
  }

  #work(job: Job): Promise<void> {
    return job.kind === "apply" ? this.#apply(job.message) : this.#restore(job.snapshot, job.done);
  }

  async #restore(snapshot: Snapshot, done: PromiseWithResolvers<void>): Promise<void> {
    const { configuration, index, term } = snapshot;
    this.#changing = true;
    try {
      if (index > this.#at.index) {
        await this.#options.machine.restore(this.#options.read(snapshot));
        this.#at = { configuration, index, term };
      }
    } catch (error) {
      done.reject(error);
      throw error;
    }
    this.#changing = false;
    this.#options.restored();
    done.resolve();
  }

  async #apply(message: Message): Promise<void> {
    let commands: { readonly entry: Entry; readonly proposed: ProposedCommand }[] = [];
    const { entries } = message;
    this.#changing = true;
    for (const entry of entries) {
      // A snapshot that came between holds it already.
      if (entry.index <= this.#at.index) continue;
      const change = decodeChange(entry);
      if (change === undefined) {
        const proposed = decodeProposed(entry);
        if (proposed !== undefined) commands.push({ entry, proposed });
        continue;
      }
      await this.#run(commands);
      commands = [];
      const configuration = this.#options.change(change);
      this.#at = { index: entry.index, term: entry.term, configuration };
    }
    await this.#run(commands);
    const last = entries.at(-1);
    if (last !== undefined && last.index > this.#at.index)
      this.#at = { ...this.#at, index: last.index, term: last.term };
    this.#changing = false;
    if (!this.#jobs.stopped) this.#options.applied(message);
  }

  async #run(
    commands: readonly { readonly entry: Entry; readonly proposed: ProposedCommand }[],
  ): Promise<void> {
    if (commands.length === 0) return;
    const answers = await this.#options.machine.apply(
      commands.map(({ entry, proposed }) => ({ index: entry.index, data: proposed.data })),
    );
    for (const [position, { entry, proposed }] of commands.entries()) {
      this.#bytes += entry.data.length;
      this.#options.answer(proposed, answers[position] as Answer);
    }
  }
}
