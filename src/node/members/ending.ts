import { type DbError, messageOf } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { NodeRecord } from "#catalog/catalog-state.ts";
import type { Clock } from "#ports/clock.ts";
import { requireAnswer } from "../tasks.ts";

/** How a process ends. */
export interface End {
  readonly exitCode: number;
  readonly message: string;
}

/** What stopped the node was the will of somebody: whoever starts it by itself after a failure leaves it alone. */
const EXIT_STOPPED = 0;
const EXIT_FAILED = 1;
/** Another process has the node-id: whoever started this one again by itself would take it back, and the other in turn. */
export const EXIT_REPLACED = 3;

/**
 * How the process of a node ends that `failure` has stopped. Of a later epoch the newest catalog tells the reason, the last that
 * was read where the store does not answer.
 */
export async function endOf(
  failure: DbError,
  { nodeId, catalog, clock }: { nodeId: string; catalog: Catalog; clock: Clock },
): Promise<End> {
  if (failure.code !== "node_fenced") return failed(failure);
  await requireAnswer(catalog.refresh(), clock).catch(() => undefined);
  const { node } = catalog.writer;
  const { nodes, removed } = catalog.state;
  const record = nodes.get(node);
  if (record !== undefined) return fenced(nodeId, record, catalog.writer.epoch);
  return removed.has(node) ? willed(nodeId, "removed from the cluster") : failed(failure);
}

/** The end of a process that cannot start or go on because of `failure`. */
function failed(failure: DbError): End {
  return { exitCode: EXIT_FAILED, message: `Serve command failed: ${messageOf(failure)}` };
}

function fenced(nodeId: string, record: NodeRecord, own: number): End {
  switch (record.state) {
    case "stopping":
    case "stopped":
      return willed(nodeId, "stopped");
    case "removing":
      return willed(nodeId, "stopped and is being removed from the cluster");
    case "running":
      return replaced(nodeId, record, own);
  }
}

/** Somebody stopped the node, and another one did it in its place. */
function willed(nodeId: string, what: string): End {
  return {
    exitCode: EXIT_STOPPED,
    message: `node ${nodeId} was ${what} while this process did not answer: another node has closed its log, and all that was acknowledged is kept. This process ends; start the node again to bring it back.`,
  };
}

function replaced(nodeId: string, { address, epoch }: NodeRecord, own: number): End {
  const by =
    epoch > own
      ? `another process at ${address} (epoch ${epoch}, this one is ${own}) has taken over node-id ${nodeId}`
      : `a later epoch of node-id ${nodeId} has begun, and the catalog does not say yet by whom`;
  return {
    exitCode: EXIT_REPLACED,
    message: `Serve command failed: ${by}; this process ends, and all that was acknowledged is kept. Before it is started again, see in 'show nodes' who runs, and stop that one or choose another --node-id.`,
  };
}
