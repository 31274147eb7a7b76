import { memberOf, proveAnswer } from "#access/node-call.ts";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import {
  decodeOfficeAsk,
  encodeOfficeCall,
  OFFICE_PATH,
  type OfficeAnswer,
} from "#compaction/office/office-call.ts";
import { decodeStandingAsk, encodeStanding, STANDING_PATH } from "#lifecycle/contact/standing.ts";
import { decodePush, PUSH_PATH, type Push } from "#lifecycle/pusher.ts";
import type { NodeNumber, Position } from "#model/ids.ts";
import { IDENTIFY_PATH, REFRESH_PATH } from "#node/members/registration.ts";
import type { Node } from "#node/node.ts";
import type { Transport, TransportAnswer, TransportRequest } from "#ports/transport.ts";
import type { Process } from "./process.ts";
import type { SimRun } from "./sim-cluster.ts";
import type { World } from "./world.ts";

const DELAY_MS_MAX = 20;
/** Of a push that is on its way for long, and arrives when its sender has given up. */
const LATE_CHANCE = 0.05;
const LATE_MS_MAX = 10_000;
const DOUBLED_CHANCE = 0.05;
const FORGED_CHANCE = 0.05;
const FORGED_NODE_MAX = 4;
const FORGED_POSITIONS_MAX = 30;
/** In some worlds the office passes on all the time: so often a standby hears that nobody is in it. */
const MISHEARD_CHANCE = 0.7;

/** The network between the nodes of a world: answers of those who live, silence of the others; and pushes that go astray. */
export class SimNetwork {
  /** Of a call that gets no answer although nothing is cut. */
  lostChance = 0.05;
  readonly #world: World;
  readonly #runAt: (address: string) => SimRun | undefined;
  readonly #cutUntilMs = new Map<string, number>();
  /** How often a standby hears that the one in office is in no term, though it is. */
  misheardChance: number;
  #misledUntilMs = 0;
  /** What nodes answer each other from what they know. */
  readonly #answers: Readonly<Record<string, (node: Node, body: Uint8Array) => Uint8Array>> = {
    [OFFICE_PATH]: (node, body) =>
      encodeOfficeCall(this.#mishear(node.answerOffice(decodeOfficeAsk(body)))),
    [STANDING_PATH]: (node, body) => encodeStanding(node.answerStanding(decodeStandingAsk(body))),
  };
  /** The highest position that a process was told of each node. */
  readonly #told = new WeakMap<SimRun, Map<NodeNumber, number>>();

  /** `runAt` answers which process listens at an address now. */
  constructor(world: World, runAt: (address: string) => SimRun | undefined) {
    this.#world = world;
    this.#runAt = runAt;
    this.misheardChance = world.chance(0.5) ? MISHEARD_CHANCE : 0;
  }

  /** The network as `process`, which listens at `own`, has it. */
  of(process: Process, own: string): Transport {
    return {
      send: async (address, request) => {
        const cut = [own, address, pairOf(own, address)].some((place) => this.#isCut(place));
        const run = this.#runAt(address);
        return proven(run, request, await this.#send(process, address, request, cut));
      },
    };
  }

  /** Nothing gets to or from `address` for `durationMs`; the store is still reachable. */
  cut(address: string, durationMs: number): void {
    this.#world.count("network_cut");
    this.#cutUntilMs.set(address, this.#world.nowMs + durationMs);
  }

  /** Nothing gets from one of the two to the other for `durationMs`; third ones reach both. */
  cutPair(left: string, right: string, durationMs: number): void {
    this.#world.count("pair_cut");
    this.#cutUntilMs.set(pairOf(left, right), this.#world.nowMs + durationMs);
  }

  /** Everything gets everywhere again. */
  heal(): void {
    this.#cutUntilMs.clear();
  }

  /** For `durationMs`, who stands by hears that nobody is in office. */
  mislead(durationMs: number): void {
    this.#misledUntilMs = this.#world.nowMs + durationMs;
  }

  #isCut(place: string): boolean {
    return (this.#cutUntilMs.get(place) ?? 0) > this.#world.nowMs;
  }

  #send(
    process: Process,
    address: string,
    request: TransportRequest,
    cut: boolean,
  ): Promise<TransportAnswer> {
    const world = this.#world;
    const run = this.#runAt(address);
    const lost = cut || world.chance(this.lostChance);
    if (run === undefined || isDeaf(run, request) || lost) {
      world.count("peer_silence");
      if (lost && request.path === PUSH_PATH) world.count("push_lost");
      if (lost && request.path === STANDING_PATH) world.count("standing_lost");
      return this.#silence(process, address, request);
    }
    if (request.path === PUSH_PATH) return this.#push(process, run, request);
    const answer = this.#answers[request.path];
    if (answer !== undefined) return this.#ask(process, run, request, answer);
    const { nodeId } = run.options;
    const identity = { nodeId, clusterId: "cluster01", processId: run.processId };
    const body = request.path === IDENTIFY_PATH ? utf8(JSON.stringify(identity)) : utf8("");
    return process.call(world.below(DELAY_MS_MAX), () => {
      if (request.path === REFRESH_PATH) run.node?.refresh().catch(() => undefined);
      return { status: 200, body };
    });
  }

  /** As a process that hangs: the answer comes when it is awake, or too late to be heard. Some are on their way for long, and old. */
  async #ask(
    process: Process,
    run: SimRun,
    request: TransportRequest,
    answer: (node: Node, body: Uint8Array) => Uint8Array,
  ): Promise<TransportAnswer> {
    const world = this.#world;
    const answered = run.process
      .call(world.below(DELAY_MS_MAX), () => undefined)
      .then((): TransportAnswer => {
        if (run.node === undefined) return { status: 503, body: utf8("") };
        return { status: 200, body: answer(run.node, request.body ?? utf8("")) };
      });
    const late = request.path === STANDING_PATH && world.chance(LATE_CHANCE);
    if (late) world.count("standing_late");
    const silence = this.#silence(process, run.options.nodeId, request);
    const wayMs = world.below(late ? request.timeoutMs : DELAY_MS_MAX);
    const heard = answered.then((got) => process.call(wayMs, () => got));
    return Promise.race([heard, silence]);
  }

  /** Nothing rests on what a peer says: who hears that the office is vacant takes over from one that works. */
  #mishear(answer: OfficeAnswer): OfficeAnswer {
    const misled = this.#misledUntilMs > this.#world.nowMs;
    if (answer.term === 0 || !(misled || this.#world.chance(this.misheardChance))) return answer;
    this.#world.count("office_misheard");
    return { ...answer, term: 0 };
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

/** What nodes answer from what they know. */
const QUESTION_PATHS: readonly string[] = [OFFICE_PATH, STANDING_PATH];

/** Whether who asks gets no answer. Pushes and such questions wait at the door of a paused process until it is awake. */
function isDeaf({ process }: SimRun, { path }: TransportRequest): boolean {
  if (!process.alive) return true;
  return process.paused && path !== PUSH_PATH && !QUESTION_PATHS.includes(path);
}

/** The way between two addresses, as a place that can be cut. */
function pairOf(left: string, right: string): string {
  return [left, right].toSorted().join(" ");
}

/** `answer` as the process `run` sends it. */
function proven(
  run: SimRun | undefined,
  { authorization }: TransportRequest,
  answer: TransportAnswer,
): TransportAnswer {
  const self = run?.node && memberOf(run.node.catalog);
  if (self === undefined || authorization === undefined) return answer;
  return { ...answer, proof: proveAnswer(self, authorization, answer) };
}
