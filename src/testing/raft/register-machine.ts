import { concatBytes, fromUtf8, utf8 } from "#base/bytes.ts";
import { v } from "#base/schema.ts";
import type { Command, StateMachine } from "#raftnode/member/state-machine.ts";
import type { Chunks } from "#raftnode/snapshot/snapshot-folder.ts";

/** What can be done with registers, each known by a key; one that nobody wrote holds "". */
export type RegisterCommand =
  | { readonly kind: "write"; readonly key: string; readonly value: string }
  | {
      readonly kind: "swap";
      readonly key: string;
      /** Writes `value` where the register holds this. */
      readonly expected: string;
      readonly value: string;
    };

const command = v.variant("kind", [
  v.object({ kind: v.literal("write"), key: v.string(), value: v.string() }),
  v.object({ kind: v.literal("swap"), key: v.string(), expected: v.string(), value: v.string() }),
]);
const state = v.record(v.string(), v.string());

/** Registers that a group keeps: the answer says whether the command wrote. */
export class RegisterMachine implements StateMachine<boolean> {
  #values = new Map<string, string>();

  read(key: string): string {
    return this.#values.get(key) ?? "";
  }

  apply(commands: readonly Command[]): readonly boolean[] {
    return commands.map(({ data }) => this.#apply(v.parse(command, JSON.parse(fromUtf8(data)))));
  }

  capture(): Chunks {
    return [utf8(JSON.stringify(Object.fromEntries(this.#values)))];
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const text = fromUtf8(concatBytes(await Array.fromAsync(chunks)));
    this.#values = new Map(Object.entries(v.parse(state, JSON.parse(text))));
  }

  #apply(change: RegisterCommand): boolean {
    if (change.kind === "swap" && this.read(change.key) !== change.expected) return false;
    this.#values.set(change.key, change.value);
    return true;
  }
}

export function encodeCommand(change: RegisterCommand): Uint8Array {
  return utf8(JSON.stringify(change));
}
