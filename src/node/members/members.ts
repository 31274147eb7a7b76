import { Mutex, untilAborted } from "#base/async.ts";
import { describeError, isKind } from "#base/errors.ts";
import type { NodeRecord, NodeState } from "#catalog/catalog-state.ts";
import { askToRemove, askToStop, markStopped, requireNode, takeEpoch } from "#catalog/members.ts";
import type { NodeNumber, Position } from "#model/ids.ts";
import { fencedError } from "#objectlog/log-tracker.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Tasks } from "../tasks.ts";
import { type CloserParts, closeLog } from "./close-log.ts";
import { answersAs, greetPeers } from "./registration.ts";

export interface MembersOptions extends CloserParts {
  readonly tasks: Tasks;
}

const LOOK_MS = 1_000;
const RETRY_MS_MAX = 30_000;
/** Looks in a row that got no answer, after which a node that was asked to stop is closed by this one. */
const SILENT_LOOKS = 2;
/** A node that answers, and drains no longer than this, is let drain: longer than a stop takes, unless it cannot reach the store. */
const DRAIN_MS_MAX = 120_000;
/** Failures in a row after which a stop is left to the next who asks for it. */
const FAILURES_MAX = 20;

/** What this node does to others of its cluster, and what others may do to it. */
export class Members {
  readonly #options: MembersOptions;
  readonly #stopping = new Set<NodeNumber>();
  /** One log is closed at a time: each takes memory for rows. */
  readonly #turn = new Mutex();
  #closedTail: Position | undefined;

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /**
   * Asks the node to stop, this one itself included, and resolves when that stands in the catalog. A node that answers drains its log and
   * ends; for one that does not, this node closes its log. Asked again, it looks again.
   * Rejects with `not_found` / `node_not_found` or `invalid` / `node_already_stopped`.
   */
  async stop(nodeId: string): Promise<void> {
    const { catalog, ports, tasks } = this.#options;
    await catalog.refresh();
    const state = await catalog.transact((now) => askToStop(now, nodeId, ports.clock.nowNs()));
    const { number } = requireNode(state, nodeId);
    tasks.add("greet", () => greetPeers(this.#options));
    if (number === catalog.writer.node || this.#stopping.has(number)) return;
    this.#stopping.add(number);
    tasks.add("stop of another node", (signal) =>
      this.#seeThrough(number, signal).finally(() => this.#stopping.delete(number)),
    );
  }

  /**
   * Asks for the removal of a node that has stopped, and resolves when that stands in the catalog; the compactor in office does it.
   * Rejects with `not_found` / `node_not_found` or `conflict` / `node_not_stopped`, `node_compacts`.
   */
  async remove(nodeId: string): Promise<void> {
    const { catalog, ports, tasks } = this.#options;
    await catalog.refresh();
    await catalog.transact((now) => askToRemove(now, nodeId, ports.clock.nowNs()));
    tasks.add("greet", () => greetPeers(this.#options));
  }

  /**
   * Resolves when somebody has asked this node to stop. Rejects with `conflict` / `node_fenced` when somebody has taken a later epoch of it:
   * another process, or one that closed its log.
   */
  async untilAskedToStop(signal: AbortSignal): Promise<void> {
    const { catalog } = this.#options;
    const { node, epoch } = catalog.writer;
    while (!signal.aborted) {
      const { nodes, removed } = catalog.state;
      const record = nodes.get(node) ?? removed.get(node);
      const found = record?.epoch ?? epoch;
      if (found > epoch) throw fencedError("catalog", node, { own: epoch, found });
      if (record?.state === "stopping") return;
      await catalog.changed.wait(signal).catch(() => undefined);
    }
  }

  /** Where the log of this node ends that `closeOwnLog` has closed. */
  get closedTail(): Position | undefined {
    return this.#closedTail;
  }

  /**
   * Closes what an earlier start of this node, which had mode `ingest`, left in its log: nobody else will. A failure costs a longer
   * log, nothing else.
   */
  async closeOwnLog(nodeId: string, signal: AbortSignal): Promise<void> {
    const { catalog, ports } = this.#options;
    try {
      const log = await closeLog(this.#options, { nodeId, writer: catalog.writer }, signal);
      this.#closedTail = log.state.position;
    } catch (error) {
      if (signal.aborted || isKind(error, "conflict") || isKind(error, "internal")) throw error;
      ports.log.warn("could not leave the log of an earlier start in files", {
        reason: describeError(error),
      });
    }
  }

  /**
   * Looks after a node that was asked to stop until it has, or is started again; closes its log when it says nothing, or does not get
   * on: one that does not reach the store does not even hear that it is to stop.
   */
  async #seeThrough(number: NodeNumber, signal: AbortSignal): Promise<void> {
    const { catalog, ports } = this.#options;
    let silentCount = 0;
    const endMs = ports.clock.monotonicMs() + DRAIN_MS_MAX;
    for (let failureCount = 0; failureCount < FAILURES_MAX && !signal.aborted; ) {
      try {
        const node = (await catalog.refresh()).nodes.get(number);
        if (node?.state !== "stopping") return;
        const answers = await untilAborted(answersAs(this.#options, node), signal);
        silentCount = answers ? 0 : silentCount + 1;
        if (silentCount >= SILENT_LOOKS || ports.clock.monotonicMs() >= endMs)
          return await this.#turn.run(() => this.#close(number, signal));
        failureCount = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (isKind(error, "internal")) throw error;
        failureCount += 1;
        if (!this.#mends(error, number)) return;
      }
      const pauseMs = Math.min(RETRY_MS_MAX, LOOK_MS * 2 ** failureCount);
      await ports.clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  /** Whether it helps to try again; logs what somebody should look after. */
  #mends(error: unknown, node: NodeNumber): boolean {
    // Somebody else has taken a later epoch: what came of it stands in the catalog.
    if (isKind(error, "conflict")) return true;
    this.#options.ports.log.warn("could not close the log of a node that does not answer", {
      node,
      reason: describeError(error),
    });
    return !isKind(error, "corrupt") && !isKind(error, "unsupported");
  }

  /**
   * Stops a dead node in its place: takes its next epoch, wins the fence, leaves its rows in files, and says so. What it is, it is when its
   * epoch is taken: it may have started and been stopped again while others had their turn.
   */
  async #close(number: NodeNumber, signal: AbortSignal): Promise<void> {
    const { catalog, ports } = this.#options;
    signal.throwIfAborted();
    const taken = await takeNextEpoch(this.#options, number, "stopping");
    if (taken === undefined) return;
    const { node, writer } = taken;
    if (node.hasLog) await closeLog(this.#options, { nodeId: node.nodeId, writer }, signal);
    await catalog.transact((state) => markStopped(state, writer, ports.clock.nowNs()));
    ports.log.info("stopped a node that did not stop by itself", { nodeId: node.nodeId });
  }
}

/** Takes the next epoch of a node that is in `state`, for who closes its log; undefined where it is not any more. */
export async function takeNextEpoch(
  { catalog }: Pick<CloserParts, "catalog">,
  number: NodeNumber,
  state: NodeState,
): Promise<{ readonly writer: Writer; readonly node: NodeRecord } | undefined> {
  let taken: ReturnType<typeof takeEpoch>;
  await catalog.transact((now) => {
    taken = takeEpoch(now, { number, state });
    return taken === undefined ? [] : [{ kind: "register_node", node: taken.node }];
  });
  return taken;
}
