import { DbError } from "#base/errors.ts";
import type { RaftMember } from "#raftnode/member/member.ts";
import type { Operation } from "#testing/raft/linearizable.ts";
import { encodeCommand, type RegisterMachine } from "#testing/raft/register-machine.ts";
import type { World } from "../world.ts";

const ASK_MS_MAX = 2_000;
const KEY_COUNT = 3;

/** The group as its clients find it. */
export interface RegisterGroup {
  /** Whether to go on asking. */
  goesOn(): boolean;
  /** Any member, dead or alive, and its registers; undefined for one that is just being started. */
  anyMember():
    | {
        readonly member: RaftMember<boolean>;
        readonly machine: Pick<RegisterMachine, "read">;
        /** A read begins; what this answers is called when it looks at the registers. */
        readonly beginRead: () => () => void;
      }
    | undefined;
  /** One who holds itself to be the leader. */
  leader(): RaftMember<boolean> | undefined;
}

/** The registers that clients use. */
export const KEYS: readonly string[] = Array.from({ length: KEY_COUNT }, (_, index) => `k${index}`);

/** Writes, swaps and reads registers, one after another, and notes in `history` what it saw. */
export class RegisterClient {
  readonly #world: World;
  readonly #group: RegisterGroup;
  readonly #history: Operation[];
  /** Different for each client, so that each value is written once. */
  readonly #name: string;
  #valueCount = 0;

  constructor(world: World, group: RegisterGroup, name: string, history: Operation[]) {
    this.#world = world;
    this.#group = group;
    this.#name = name;
    this.#history = history;
  }

  async run(): Promise<void> {
    const world = this.#world;
    let seen = "";
    while (this.#group.goesOn()) {
      await world.sleep(world.below(60));
      const key = KEYS[world.below(KEYS.length)] ?? "";
      const draw = world.below(10);
      this.#valueCount += 1;
      // Some are longer than a sector of a disk.
      const padding = world.chance(0.2) ? "+".repeat(world.below(1_200)) : "";
      const value = `${this.#name}${this.#valueCount}${padding}`;
      if (draw < 4) seen = (await this.#read(key)) ?? seen;
      else if (draw < 8) await this.#write(key, { kind: "write", value });
      else await this.#write(key, { kind: "swap", expected: seen, value });
    }
  }

  async #read(key: string): Promise<string | undefined> {
    const world = this.#world;
    const calledMs = world.nowMs;
    const found = this.#group.anyMember();
    if (found === undefined) return undefined;
    const { machine, member } = found;
    const looked = found.beginRead();
    const answer = await inTime(
      world,
      member.read().then(() => {
        looked();
        return machine.read(key);
      }),
    );
    if (!("value" in answer)) return undefined;
    const { value } = answer;
    this.#history.push({
      key,
      action: { kind: "read" },
      calledMs,
      answeredMs: this.#world.nowMs,
      answer: value,
    });
    return value;
  }

  async #write(key: string, action: Exclude<Operation["action"], { kind: "read" }>): Promise<void> {
    const calledMs = this.#world.nowMs;
    const leader = this.#group.leader();
    if (leader === undefined) return;
    const answer = await inTime(this.#world, leader.propose(encodeCommand({ ...action, key })));
    if ("value" in answer)
      this.#history.push({
        key,
        action,
        calledMs,
        answeredMs: this.#world.nowMs,
        answer: answer.value,
      });
    else if (!answer.refused)
      this.#history.push({ key, action, calledMs, answeredMs: undefined, answer: undefined });
  }
}

/** The answer, or whether none will come: one that does not come in time may come yet. */
export async function inTime<T>(
  world: World,
  work: Promise<T>,
): Promise<{ value: T } | { refused: boolean }> {
  const late = world.sleep(ASK_MS_MAX).then(() => ({ refused: false }));
  const done = work.then(
    (value) => ({ value }),
    (error: unknown) => ({
      refused: isRefusal(error),
    }),
  );
  return Promise.race([done, late]);
}

/** Whether what was asked has not happened, and will not. */
export function isRefusal(error: unknown): boolean {
  return error instanceof DbError && ["raft_not_leader", "raft_busy"].includes(error.code);
}
