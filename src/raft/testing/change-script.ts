/** Scripts that change a configuration, command by command. */
import {
  type Changed,
  type ChangeProblem,
  changeDirectly,
  enterJoint,
  leaveJoint,
} from "../configuration/changer.ts";
import { EMPTY_CONFIGURATION } from "../configuration/configuration.ts";
import { type PeerId, peerId } from "../message.ts";
import type { MemberStatus } from "../node.ts";
import { Tracker } from "../tracker/tracker.ts";
import { describeConfiguration, describeMembers, parseOperations } from "./describe.ts";
import type { Directive } from "./script.ts";

const PROBLEMS: Readonly<Record<ChangeProblem, string>> = {
  already_joint: "config is already joint",
  not_joint: "can't leave a non-joint config",
  joint_without_voters: "can't make a zero-voter config joint",
  direct_while_joint: "can't apply simple config change in joint config",
  several_voters_directly: "more than one voter changed without entering joint config",
  no_voters_left: "removed all voters",
};

/** Runs the commands of one script, in order; each counts as an entry of the log. */
export class ChangeScript {
  readonly #tracker = new Tracker({ countMax: 10, bytesMax: Number.POSITIVE_INFINITY });
  #lastIndex = 0;

  constructor() {
    this.#tracker.configure(EMPTY_CONFIGURATION, 0);
  }

  run(directive: Directive): string {
    const changed = this.#change(directive);
    const lastIndex = this.#lastIndex;
    this.#lastIndex += 1;
    if (typeof changed === "string") return changed;
    if ("problem" in changed) return PROBLEMS[changed.problem];
    this.#tracker.configure(changed, lastIndex);
    return [describeConfiguration(changed), ...describeMembers(this.#members())].join("\n");
  }

  #change({ command, args, input }: Directive): Changed | string {
    const { configuration } = this.#tracker;
    const operations = parseOperations(input, (value) => peerId(Number(value)));
    const autoLeave = args.find(({ key }) => key === "autoleave")?.values[0] === "true";
    switch (command) {
      case "simple":
        return changeDirectly(configuration, operations);
      case "enter-joint":
        return enterJoint(configuration, operations, autoLeave);
      case "leave-joint":
        return operations.length > 0 ? "this command takes no input" : leaveJoint(configuration);
      default:
        return "unknown command";
    }
  }

  #members(): ReadonlyMap<PeerId, MemberStatus> {
    const statuses = [...this.#tracker.progress].map(([id, progress]) => {
      const { match, next, state, paused, recentlyActive, pendingSnapshotIndex } = progress;
      const learner = this.#tracker.isLearner(id);
      return [
        id,
        {
          match,
          next,
          state,
          learner,
          paused,
          recentlyActive,
          pendingSnapshotIndex,
          inflightCount: progress.inflights.count,
          inflightFull: progress.inflights.full,
        },
      ] as const;
    });
    return new Map(statuses);
  }
}
