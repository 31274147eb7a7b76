/** Which runs of continuous queries a node takes: pure functions of a state, for `Catalog.transact`. */
import type { CatalogState, NodeRecord } from "#catalog/catalog-state.ts";
import type { CatalogChange } from "#catalog/changes.ts";
import {
  type ContinuousQueryChange,
  type ContinuousQueryRecord,
  continuousQueryKey,
  type RunClaim,
} from "#catalog/v1/continuous-queries.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { RunRange, Schedule } from "./schedule.ts";

/** A node that looks for runs. */
export interface Claimant {
  readonly writer: Writer;
  readonly nowNs: bigint;
  /** Of the statement that creates a continuous query; undefined where it is never run. */
  readonly scheduleOf: (text: string) => Schedule | undefined;
  /** Whether another node was heard of lately. */
  readonly isAlive: (node: NodeNumber) => boolean;
  /** Queries that the claimant leaves alone for now: it runs them, or waits after a failure. */
  readonly isBusy: (key: string) => boolean;
}

/** A run whose rows are all durable. */
export interface WrittenRun {
  readonly query: ContinuousQueryRecord;
  readonly claim: RunClaim;
}

/** Nodes that are not the first leave runs to it for so long. */
const STANDBY_NS = 2_000_000_000n;

/** What the claimant takes of `state`: runs that are due and nobody's, or of one whose epoch is over or who is not heard of. */
export function claimDue(state: CatalogState, claimant: Claimant): readonly CatalogChange[] {
  const isFirst = firstRunner(state, claimant) === claimant.writer.node;
  return [...state.continuousQueries.values()].flatMap((query) => {
    if (claimant.isBusy(continuousQueryKey(query))) return [];
    const schedule = claimant.scheduleOf(query.text);
    return schedule ? claimOf(state, query, { schedule, isFirst, ...claimant }) : [];
  });
}

/** Whether `claim` is that of `writer` itself. */
export function isOwn(claim: RunClaim | undefined, writer: Writer): claim is RunClaim {
  return claim?.node === writer.node && claim.epoch === writer.epoch;
}

/** The runs are finished, whoever has claimed them since; nothing of one of which that is known, or whose query is another. */
export function finishRuns(
  { continuousQueries }: CatalogState,
  runs: readonly WrittenRun[],
): readonly ContinuousQueryChange[] {
  return runs.flatMap(({ claim: { dueNs }, query: { database, name, text } }) => {
    const query = continuousQueries.get(continuousQueryKey({ database, name }));
    if (query?.text !== text || isDone(query, dueNs)) return [];
    const claim = query.run?.claim;
    const later = claim !== undefined && claim.dueNs > dueNs ? { claim } : {};
    return [{ kind: "set_continuous_run", database, name, run: { doneNs: dueNs, ...later } }];
  });
}

export function isDone({ run }: ContinuousQueryRecord, dueNs: bigint): boolean {
  return run?.doneNs !== undefined && run.doneNs >= dueNs;
}

function claimOf(
  state: CatalogState,
  query: ContinuousQueryRecord,
  claimant: Claimant & { readonly schedule: Schedule; readonly isFirst: boolean },
): readonly CatalogChange[] {
  const { isFirst, nowNs, schedule, writer } = claimant;
  const { database, name, run } = query;
  const dueNs = schedule.dueAt(nowNs);
  if (isDone(query, dueNs)) return [];
  const { claim, doneNs } = run ?? {};
  if (claim !== undefined) {
    if (isOwn(claim, writer) ? claim.dueNs >= dueNs : isHeld(state, claim, claimant)) return [];
  } else if (!isFirst && doneNs !== undefined && nowNs < schedule.after(doneNs) + STANDBY_NS) {
    return [];
  }
  const { endNs, startNs } = withClaimed(schedule.rangeOf(dueNs, doneNs, nowNs), claim);
  const oldestNs = schedule.oldestStart(dueNs);
  const range = { startNs: startNs < oldestNs ? oldestNs : startNs, endNs };
  const taken =
    range.endNs > range.startNs
      ? { doneNs, claim: { ...writer, dueNs, ...range } }
      : { doneNs: dueNs };
  return [{ kind: "set_continuous_run", database, name, run: taken }];
}

/** Also what the claim of before would have read. */
function withClaimed(range: RunRange, claim: RunClaim | undefined): RunRange {
  if (claim === undefined || claim.startNs >= range.startNs) return range;
  return { ...range, startNs: claim.startNs };
}

/** Whether the node of `claim` may be at work. */
function isHeld({ nodes }: CatalogState, claim: RunClaim, { isAlive }: Claimant): boolean {
  const node = nodes.get(claim.node);
  return node?.epoch === claim.epoch && isUp(node) && isAlive(node.number);
}

/** The node that takes runs at once: of those that can, the one with the lowest number. */
function firstRunner({ nodes }: CatalogState, { isAlive, writer }: Claimant) {
  const able = [...nodes.values()].filter(
    (node) => node.number === writer.node || (canRun(node) && isAlive(node.number)),
  );
  return able.reduce((first, { number }) => (number < first ? number : first), writer.node);
}

function canRun(node: NodeRecord): boolean {
  return node.state === "running" && runsContinuousQueries(node.modes);
}

function isUp({ state }: NodeRecord): boolean {
  return state === "running" || state === "stopping";
}

/** Nodes that read rows and take writes. */
export function runsContinuousQueries(modes: readonly string[]): boolean {
  return modes.includes("query") && modes.includes("ingest");
}
