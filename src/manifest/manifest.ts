import { DbError } from "#base/errors.ts";
import type { Position } from "#model/ids.ts";
import type { RecordKind } from "#objectlog/envelope.ts";
import { fencedError } from "#objectlog/log-tracker.ts";
import { ObjectLog, type ObjectLogPorts } from "#objectlog/object-log.ts";
import type { LogRecord, Needs } from "#objectlog/record.ts";
import {
  SharedLog,
  type SharedLogOptions,
  type SharedMachine,
  type Writer,
} from "#objectlog/shared-log.ts";
import { ManifestCheckpoints } from "./manifest-checkpoints.ts";
import { ManifestFiles } from "./manifest-files.ts";
import { type Adopt, type ManifestState, manifestMachine, type Replace } from "./manifest-state.ts";

/** A plan of the compactor in office, decided on the state it is given. */
export type OfficePlan =
  | { readonly kind: "adopt"; readonly body: Adopt; readonly needs: Needs }
  | { readonly kind: "replace"; readonly body: Replace; readonly needs: Needs };

export interface ManifestOptions extends SharedLogOptions {
  /** This node in its epoch, once it is registered. */
  readonly writer: () => Writer;
  readonly signal: AbortSignal;
  /** Files of a part; PART_FILES_MAX unless given. */
  readonly partFilesMax?: number | undefined;
}

/** Files that may be plain in memory, some 500 bytes each; above it, some are packed with each `keep`. */
const PLAIN_FILES_MAX = 100_000;
/** Files that one `keep` packs: some 50 ms. */
const PACKED_AT_ONCE = 10_000;

/** The manifest as this process sees it, and the way to change it. */
export class Manifest {
  readonly #shared: SharedLog<ManifestState>;
  readonly #checkpoints: ManifestCheckpoints;
  readonly #writer: () => Writer;
  /** The newest term in office that began here, and the one whose checkpoints are written. */
  #term: Writer | undefined;
  #begun: Writer | undefined;

  constructor(clusterId: string, ports: ObjectLogPorts, options: ManifestOptions) {
    const { partFilesMax, signal, writer } = options;
    const log = new ObjectLog(`${clusterId}/manifest/`, ports);
    const checkpoints = new ManifestCheckpoints(log, ports, partFilesMax);
    const machine: SharedMachine<ManifestState> = {
      ...manifestMachine,
      empty: { ...manifestMachine.empty, files: ManifestFiles.of([], partFilesMax) },
      restore: (checkpoint) => checkpoints.restore(checkpoint),
      checkpoint: (state, owner) => checkpoints.checkpoint(state, owner),
    };
    this.#writer = writer;
    this.#checkpoints = checkpoints;
    this.#shared = new SharedLog(log, machine, signal, {
      ...options,
      keeps: ({ office }) => this.#term !== undefined && isSameTerm(office, this.#term),
    });
  }

  /** The newest state this process has read. */
  get state(): ManifestState {
    return this.#shared.state;
  }

  get changed() {
    return this.#shared.changed;
  }

  /** By the monotonic clock: everything that stood in the log then is in the state. */
  get wholeMs(): number {
    return this.#shared.wholeMs;
  }

  refresh(): Promise<ManifestState> {
    return this.#shared.refresh();
  }

  /**
   * Does the housekeeping: the checkpoint, where it falls to the term in office that this process holds, and what it makes superfluous;
   * and keeps what is in memory small. One call at a time. Rejects as the store does; it is then tried again by the next call.
   */
  async keep(): Promise<void> {
    await this.#keepCheckpoints();
    packSome(this.state);
  }

  async #keepCheckpoints(): Promise<void> {
    const term = this.#term;
    if (term === undefined) return;
    if (this.#begun !== term) this.#checkpoints.begin();
    this.#begun = term;
    await this.#shared.keep(this.#writer());
    await this.#checkpoints.deleteOldParts();
  }

  reach(position: Position): Promise<ManifestState> {
    return this.#shared.reach(position);
  }

  /** Puts this node into the compactor's office; answers the term. Whoever was there stops when it reads of it. */
  async takeOver(): Promise<Writer> {
    const state = await this.#append((current) => this.#takeOverRecord(current));
    this.#term = state.office;
    return state.office;
  }

  /** As `takeOver`, if `holder` is still the one in office; undefined where somebody else has taken over meanwhile. */
  async takeOverFrom(holder: Writer): Promise<Writer | undefined> {
    let isOurs = false;
    const state = await this.#append((current) => {
      isOurs = isSameTerm(current.office, holder);
      return isOurs ? this.#takeOverRecord(current) : undefined;
    });
    if (!isOurs) return undefined;
    this.#term = state.office;
    return state.office;
  }

  /**
   * Publishes what `decide` makes of the newest state, in the name of the term `office`; decided again after every lost race,
   * undefined publishes nothing. A plan counts only if it was made with at least every catalog version that the manifest below it names
   * (rule 7): one that knows less rejects with `conflict` / `plan_stale`. Rejects with `conflict` / `node_fenced` when the term is over.
   */
  async publish(
    office: Writer,
    decide: (state: ManifestState) => OfficePlan | undefined,
  ): Promise<ManifestState> {
    return this.#append((current) => {
      refuseWhenOver(current, office);
      const plan = decide(current);
      if (plan === undefined) return undefined;
      if (plan.needs.catalog < current.needs.catalog) throw planStale(plan, current);
      return this.#record(plan.kind, plan.body, plan.needs);
    });
  }

  /** Reads on to the tail of now; rejects with `conflict` / `node_fenced` when the term `office` is over. */
  async refreshIn(office: Writer): Promise<ManifestState> {
    const state = await this.refresh();
    refuseWhenOver(state, office);
    return state;
  }

  /** Names catalog version `catalog`: plans made with an older one are not published above it (rule 7). */
  async raiseBarrier(catalog: Position): Promise<ManifestState> {
    return this.#append((current) => {
      if (current.needs.catalog >= catalog) return undefined;
      return this.#record("barrier", {}, { catalog, manifest: 0 });
    });
  }

  #append(decide: (state: ManifestState) => LogRecord | undefined): Promise<ManifestState> {
    return this.#shared.transact(this.#writer, decide);
  }

  #takeOverRecord({ needs, office }: ManifestState): LogRecord {
    return this.#record("take_over", { office: office.epoch + 1 }, needs);
  }

  #record(kind: RecordKind, body: unknown, needs: Needs): LogRecord {
    return { kind, ...this.#writer(), needs, body, payload: new Uint8Array(0) };
  }
}

/** Whether `left` and `right` are one term of one node. */
export function isSameTerm(left: Writer, right: Writer): boolean {
  return left.epoch === right.epoch && left.node === right.node;
}

function refuseWhenOver(current: ManifestState, office: Writer): void {
  if (isSameTerm(current.office, office)) return;
  const epochs = { own: office.epoch, found: current.office.epoch };
  throw fencedError("compactor's office", office.node, epochs);
}

function planStale(plan: OfficePlan, { needs, position }: ManifestState): DbError {
  return new DbError(
    "conflict",
    "plan_stale",
    `the plan was made with catalog version ${plan.needs.catalog}, and manifest entry ${position} or one below it names ${needs.catalog}: plan again`,
    { detail: { planned: plan.needs.catalog, named: needs.catalog } },
  );
}

/** Packs some of what is plain, where that is too much. */
function packSome({ files }: ManifestState): void {
  const plain = files.parts.filter((part) => !part.isPacked);
  let plainCount = plain.reduce((sum, { summary }) => sum + summary.count, 0);
  let packedCount = 0;
  for (const part of plain) {
    if (plainCount <= PLAIN_FILES_MAX || packedCount >= PACKED_AT_ONCE) return;
    part.pack();
    plainCount -= part.summary.count;
    packedCount += part.summary.count;
  }
}
