import { nodeLogPrefix } from "#lifecycle/followers.ts";
import type { SimCluster, SimHost, SimRun } from "../sim-cluster.ts";
import { cutSomewhere } from "./cuts.ts";

const PAUSE_MS = 4_000;
const LONG_PAUSE_MS_MAX = 18_000;
const CUT_MS_MAX = 30_000;
const HOUR_MS = 3_600_000;
const FILES = "cluster01/data/";
/** Longer than it takes from a file to its entry, and than a standby waits between two questions. */
const NAMED_MS = 300;
const MISLED_MS = 4_000;

/** What happens to processes by themselves: they die, hang, lose their engine, the network or the time, and have twins. */
export class Breakage {
  readonly #cluster: SimCluster;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
  }

  /** Goes on until it is calm. */
  async run(calm: () => boolean): Promise<void> {
    const { hosts, world } = this.#cluster;
    while (!calm()) {
      await world.sleep(world.below(PAUSE_MS));
      const host = hosts[world.below(hosts.length)] as SimHost;
      if (host.run !== undefined && !calm()) await this.#break(host, host.run);
    }
  }

  async #break(host: SimHost, run: SimRun): Promise<void> {
    const { world } = this.#cluster;
    const dice = world.below(12);
    if (dice < 4) {
      world.count(run.node === undefined ? "crash_in_start" : "crash");
      host.kill();
    } else if (dice < 6) {
      world.count("pause");
      // Some last until another compactor is in office.
      run.process.pause(world.below(world.chance(0.3) ? LONG_PAUSE_MS_MAX : 8_000));
    } else if (dice < 7) {
      this.#moveClock(run);
    } else if (dice < 8) {
      world.count("engine_crash");
      await run.engine?.crash();
    } else if (dice < 9) {
      world.count("twin");
      this.#startTwin(host, run);
    } else if (dice < 10) {
      cutSomewhere(this.#cluster, host, world.below(CUT_MS_MAX));
    } else {
      this.#holdOffice(run);
    }
  }

  /**
   * The one in office hears late that its next file is stored, and later what was listed meanwhile for orphans: the file is named before that, and
   * the office passes on.
   */
  #holdOffice({ node, process }: SimRun): void {
    const { network, store, world } = this.#cluster;
    if (node?.compaction?.office.term === undefined) return;
    world.count("office_held");
    const delayMs = 500 + world.below(4_000);
    const holdList = () => {
      store.holdNextAnswer({ process, what: `list ${FILES}`, delayMs: delayMs + MISLED_MS });
      world.schedule(delayMs + NAMED_MS, () => network.mislead(MISLED_MS));
    };
    store.holdNextAnswer({ process, what: `put ${FILES}`, delayMs, onAsked: holdList });
  }

  /** By seconds, or as one that was never set right. */
  #moveClock({ process }: SimRun): void {
    const { world } = this.#cluster;
    const isHour = world.chance(0.3);
    world.count(isHour ? "clock_hour" : "clock_jump");
    if (isHour) process.jumpClock(world.chance(0.5) ? HOUR_MS : -HOUR_MS);
    else process.jumpClock(world.below(20_000) - 10_000);
  }

  /** Somebody starts a process beside one that lives, and one of the two hangs. */
  #startTwin(host: SimHost, { process: older }: SimRun): void {
    const { store, world } = this.#cluster;
    const newer = host.start().process;
    // The old one comes back after its successor has begun, or the new one hangs while it starts, best of all with its fence.
    const variant = world.below(3);
    const pauseMs = 1_000 + world.below(8_000);
    if (variant === 0) older.pause(pauseMs);
    else if (variant === 1) world.schedule(world.below(500), () => newer.pause(pauseMs));
    else store.holdNextPut(newer, `${nodeLogPrefix(host.nodeId)}entry/`, pauseMs);
  }
}
