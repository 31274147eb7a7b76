import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { decodePush, PUSH_PATH, type Push } from "#lifecycle/pusher.ts";
import type { NodeNumber, Position } from "#model/ids.ts";
import { IDENTIFY_PATH } from "#node/registration.ts";
import type { Transport, TransportAnswer, TransportRequest } from "#ports/transport.ts";
import type { Process } from "./process.ts";
import type { SimRun } from "./sim-cluster.ts";
import type { World } from "./world.ts";

const DELAY_MS_MAX = 20;
const LOST_CHANCE = 0.05;
/** Of a push that is on its way for long, and arrives when its sender has given up. */
const LATE_CHANCE = 0.05;
const LATE_MS_MAX = 10_000;
const DOUBLED_CHANCE = 0.05;
const FORGED_CHANCE = 0.05;
const FORGED_NODE_MAX = 4;
const FORGED_POSITIONS_MAX = 30;

/** The network between the nodes of a world: answers of those who live, silence of the others; and pushes that go astray. */
export class SimNetwork {
  readonly #world: World;
  readonly #runAt: (address: string) => SimRun | undefined;
  /** The highest position that a process was told of each node. */
  readonly #told = new WeakMap<SimRun, Map<NodeNumber, number>>();

  /** `runAt` answers which process listens at an address now. */
  constructor(world: World, runAt: (address: string) => SimRun | undefined) {
    this.#world = world;
    this.#runAt = runAt;
  }

  /** The network as `process` has it. */
  of(process: Process): Transport {
    return { send: async (address, request) => this.#send(process, address, request) };
  }

  #send(process: Process, address: string, request: TransportRequest): Promise<TransportAnswer> {
    const world = this.#world;
    const run = this.#runAt(address);
    const lost = world.chance(LOST_CHANCE);
    if (run === undefined || !run.process.alive || lost) {
      world.count("peer_silence");
      if (lost && request.path === PUSH_PATH) world.count("push_lost");
      return this.#silence(process, address, request);
    }
    if (request.path === PUSH_PATH) return this.#push(process, run, request);
    const { nodeId } = run.options;
    const identity = { nodeId, clusterId: "cluster01", processId: run.processId };
    const body = request.path === IDENTIFY_PATH ? utf8(JSON.stringify(identity)) : utf8("");
    return process.call(world.below(DELAY_MS_MAX), () => {
      if (request.method === "POST") run.node?.refresh().catch(() => undefined);
      return { status: 200, body };
    });
  }

  #push(process: Process, run: SimRun, request: TransportRequest): Promise<TransportAnswer> {
    const world = this.#world;
    const push = decodePush(request.body ?? utf8(""));
    if (world.chance(DOUBLED_CHANCE)) {
      world.count("push_doubled");
      void this.#deliver(run, push, world.below(LATE_MS_MAX));
    }
    if (world.chance(FORGED_CHANCE)) {
      world.count("push_forged");
      void this.#forge(run, push.position);
    }
    if (world.chance(LATE_CHANCE)) {
      world.count("push_delayed");
      void this.#deliver(run, push, request.timeoutMs + world.below(LATE_MS_MAX));
      return this.#silence(process, run.options.nodeId, request);
    }
    const delayMs = world.below(DELAY_MS_MAX);
    void this.#deliver(run, push, delayMs);
    return process.call(delayMs + world.below(DELAY_MS_MAX), () => ({
      status: 202,
      body: utf8(""),
    }));
  }

  /** The process at the other end hears `push`, if it is there, when it is awake. */
  async #deliver(run: SimRun, push: Push, delayMs: number): Promise<void> {
    const told = this.#told.get(run) ?? new Map<NodeNumber, number>();
    this.#told.set(run, told);
    await run.process.call(delayMs, () => undefined);
    const before = told.get(push.node) ?? 0;
    if (push.position < before) this.#world.count("push_reordered");
    told.set(push.node, Math.max(before, push.position));
    run.node?.hearPush(push);
  }

  async #forge(run: SimRun, near: Position): Promise<void> {
    const world = this.#world;
    const node = (1 + world.below(FORGED_NODE_MAX)) as NodeNumber;
    const position = near + 1 + world.below(FORGED_POSITIONS_MAX);
    await run.process.call(world.below(LATE_MS_MAX), () => undefined);
    run.node?.hearPush({ node, position });
  }

  #silence(
    process: Process,
    address: string,
    { timeoutMs }: TransportRequest,
  ): Promise<TransportAnswer> {
    return process.call(timeoutMs, () => {
      throw new DbError("unavailable", "peer_unreachable", `${address} does not answer`);
    });
  }
}
