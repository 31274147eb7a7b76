import { describeError } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { NodeConfig, NodeMode } from "../config.ts";

const LOOK_MS = 500;

export interface WaitingOptions {
  readonly config: NodeConfig;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Waits, as long as the configuration says, for nodes that do what this one does not: for the first one that takes writes, where this one
 * answers queries, and for a running compactor. Goes on without them, and says so; at once when `signal` is aborted.
 *
 * Where the cluster has had one that takes writes, there is something to answer, and nothing is gained by waiting for it to come back.
 */
export async function waitForOthers(options: WaitingOptions, signal: AbortSignal): Promise<void> {
  const { modes, ingesterWaitMsMax = 0, compactorWaitMsMax = 0 } = options.config;
  const waits = [
    ...(modes.includes("query")
      ? [waitFor(options, { mode: "ingest", isThere: knows, waitMsMax: ingesterWaitMsMax }, signal)]
      : []),
    waitFor(options, { mode: "compact", isThere: runs, waitMsMax: compactorWaitMsMax }, signal),
  ];
  await Promise.all(waits);
}

interface Wait {
  readonly mode: NodeMode;
  readonly isThere: (catalog: Catalog, mode: NodeMode) => boolean;
  readonly waitMsMax: number;
}

async function waitFor(
  { config, catalog, clock, log }: WaitingOptions,
  { mode, isThere, waitMsMax }: Wait,
  signal: AbortSignal,
): Promise<void> {
  if (config.modes.includes(mode)) return;
  const startedMs = clock.monotonicMs();
  for (let isFirst = true; !isThere(catalog, mode); isFirst = false) {
    const restMs = waitMsMax - (clock.monotonicMs() - startedMs);
    if (restMs <= 0) {
      if (waitMsMax > 0) log.warn("no node runs in a mode that this one waited for", { mode });
      return;
    }
    if (isFirst) log.info("waiting for a node that runs in a mode", { mode, waitMsMax });
    await clock.sleep(Math.min(LOOK_MS, restMs), signal).catch(() => undefined);
    if (signal.aborted) return;
    await look(catalog, log);
  }
}

/** What is wrong with the store, the loops of the node find out as well, and act on it. */
async function look(catalog: Catalog, log: Log): Promise<void> {
  try {
    await catalog.refresh();
  } catch (error) {
    log.debug("cannot look for new nodes", { reason: describeError(error) });
  }
}

/** Whether the catalog has a running node in `mode`. That it has died since, nobody need know. */
function runs(catalog: Catalog, mode: NodeMode): boolean {
  return [...catalog.state.nodes.values()].some(
    ({ modes, state }) => state === "running" && modes.includes(mode),
  );
}

/** Whether the catalog has a node in `mode`, running or not. */
function knows(catalog: Catalog, mode: NodeMode): boolean {
  return [...catalog.state.nodes.values()].some(({ modes }) => modes.includes(mode));
}
