import type { Command, StateMachine } from "#raftnode/member/state-machine.ts";
import type { Chunks } from "#raftnode/snapshot/snapshot-folder.ts";
import { RegisterMachine } from "#testing/raft/register-machine.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

export interface SimulatedMachineOptions {
  readonly world: World;
  readonly process: Process;
  /** So long it takes to apply commands, at most; 0: it is done at once. */
  readonly applyMsMax: number;
  readonly applies: (commands: readonly Command[]) => void;
  readonly restores: () => void;
  readonly violate: (what: string) => void;
}

/** The registers of one run of a member, which may take their time, and see to it that they are asked for one thing at a time. */
export class SimulatedMachine implements StateMachine<boolean> {
  readonly #registers = new RegisterMachine();
  readonly #options: SimulatedMachineOptions;
  #busy = false;

  constructor(options: SimulatedMachineOptions) {
    this.#options = options;
  }

  read(key: string): string {
    return this.#registers.read(key);
  }

  apply(commands: readonly Command[]): Promise<readonly boolean[]> | readonly boolean[] {
    return this.#options.applyMsMax > 0
      ? this.#alone("apply", () => this.#applySlowly(commands))
      : this.#applyNow(commands);
  }

  capture(): Chunks {
    if (this.#busy) this.#options.violate("a state machine is captured while it changes");
    return this.#registers.capture();
  }

  restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.#options.restores();
    return this.#alone("restore", () => this.#registers.restore(chunks));
  }

  /** It has changed before it says so. */
  async #applySlowly(commands: readonly Command[]): Promise<readonly boolean[]> {
    await this.#takeTime();
    const answers = this.#applyNow(commands);
    await this.#takeTime();
    return answers;
  }

  #applyNow(commands: readonly Command[]): readonly boolean[] {
    this.#options.applies(commands);
    return this.#registers.apply(commands);
  }

  #takeTime(): Promise<void> {
    const { applyMsMax, process, world } = this.#options;
    return process.call(world.random.next() * applyMsMax, () => undefined);
  }

  async #alone<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy) this.#options.violate(`a state machine is to ${what} while it changes`);
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}
