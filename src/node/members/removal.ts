import { describeError, isKind } from "#base/errors.ts";
import type { NodeRecord } from "#catalog/catalog-state.ts";
import { forgetNode } from "#catalog/members.ts";
import { dataPrefix } from "#ingest/snapshotter.ts";
import { deleteOrphans } from "#lifecycle/orphans.ts";
import { adoptedOf } from "#manifest/manifest-state.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { type CloserParts, closeLog } from "./close-log.ts";
import { takeNextEpoch } from "./members.ts";

const CHECK_MS = 1_000;
const RETRY_MS_MAX = 30_000;

/**
 * Removes nodes that were asked to go, on the node that is in the compactor's office: closes the log of each, waits until the manifest
 * has all of it, deletes what that covers, and forgets the node.
 *
 * Its fences stay, for a late writer must find them, and so does its name with number and epoch, for one that comes back goes on with
 * them. Two that do this at once do no harm: the lower epoch meets a fence.
 */
export class Removals {
  readonly #parts: CloserParts;
  /** Logs that this process has closed, and waits for. */
  readonly #closed = new Map<NodeNumber, NodeLogWriter>();

  constructor(parts: CloserParts) {
    this.#parts = parts;
  }

  /** Works until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts.ports;
    for (let failureCount = 0; !signal.aborted; ) {
      try {
        for (const node of this.#due()) await this.#step(node, signal);
        failureCount = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (isKind(error, "internal")) throw error;
        failureCount += 1;
        log.warn("the removal of a node failed and will be tried again", {
          reason: describeError(error),
        });
      }
      const pauseMs = Math.min(RETRY_MS_MAX, CHECK_MS * 2 ** Math.min(failureCount, 10));
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  #due(): readonly NodeRecord[] {
    const { catalog, manifest } = this.#parts;
    if (manifest.state.office.node !== catalog.writer.node) return [];
    return [...catalog.state.nodes.values()].filter(({ state }) => state === "removing");
  }

  /** Does what can be done now for a node that goes. */
  async #step(node: NodeRecord, signal: AbortSignal): Promise<void> {
    const { manifest, ports } = this.#parts;
    const { number, nodeId } = node;
    if (!node.hasLog) return this.#forget({ node: number, epoch: node.epoch }, nodeId);
    const log = await this.#close(node, signal);
    if (log === undefined) return;
    const { position } = adoptedOf(manifest.state, number);
    if (log.state.snapshots.some(({ through }) => through > position)) return;
    await log.checkpoint({ position, manifest: manifest.state.position });
    await deleteOrphans({ ...ports, prefix: dataPrefix(nodeId), manifest, writer: log });
    await this.#forget(log.owner, nodeId);
    this.#closed.delete(number);
  }

  /** Whoever reads that the node is gone reads as much of the manifest as has all its rows. */
  async #forget(closer: Writer, nodeId: string): Promise<void> {
    const { catalog, manifest, ports } = this.#parts;
    const needs = { catalog: 0, manifest: manifest.state.position };
    const { nodes } = await catalog.transact((state) => forgetNode(state, closer), needs);
    if (!nodes.has(closer.node)) ports.log.info("removed a node", { nodeId });
  }

  /** The log of the node, closed in its newest epoch by this process; undefined where the node does not go any more. */
  async #close(node: NodeRecord, signal: AbortSignal): Promise<NodeLogWriter | undefined> {
    const { number, nodeId, epoch } = node;
    const known = this.#closed.get(number);
    if (known?.owner.epoch === epoch) return known;
    this.#closed.delete(number);
    const taken = await takeNextEpoch(this.#parts, number, "removing");
    if (taken === undefined) return undefined;
    const log = await closeLog(this.#parts, { nodeId, writer: taken.writer }, signal);
    this.#closed.set(number, log);
    return log;
  }
}
