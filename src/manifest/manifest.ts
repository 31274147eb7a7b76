import { DbError } from "#base/errors.ts";
import type { Position } from "#model/ids.ts";
import type { RecordKind } from "#objectlog/envelope.ts";
import { fencedError } from "#objectlog/log-tracker.ts";
import { ObjectLog, type ObjectLogPorts } from "#objectlog/object-log.ts";
import type { LogRecord, Needs } from "#objectlog/record.ts";
import { SharedLog, type SharedLogOptions, type Writer } from "#objectlog/shared-log.ts";
import { type Adopt, type ManifestState, manifestMachine, type Replace } from "./manifest-state.ts";

/** A plan of the compactor in office, decided on the state it is given. */
export type OfficePlan =
  | { readonly kind: "adopt"; readonly body: Adopt; readonly needs: Needs }
  | { readonly kind: "replace"; readonly body: Replace; readonly needs: Needs };

/** The manifest as this process sees it, and the way to change it. */
export class Manifest {
  readonly #shared: SharedLog<ManifestState>;
  readonly #writer: () => Writer;

  /** `writer` is this node in its epoch, once it is registered. */
  constructor(
    clusterId: string,
    ports: ObjectLogPorts,
    options: SharedLogOptions & { readonly writer: () => Writer; readonly signal: AbortSignal },
  ) {
    const log = new ObjectLog(`${clusterId}/manifest/`, ports);
    this.#writer = options.writer;
    this.#shared = new SharedLog(log, manifestMachine, options.signal, options);
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

  /** Writes the checkpoint that falls to this process, if one does. */
  keep(): Promise<void> {
    return this.#shared.keep(this.#writer());
  }

  reach(position: Position): Promise<ManifestState> {
    return this.#shared.reach(position);
  }

  /** Puts this node into the compactor's office; answers the term. Whoever was there stops when it reads of it. */
  async takeOver(): Promise<Writer> {
    const state = await this.#append((current) => this.#takeOverRecord(current));
    return state.office;
  }

  /** As `takeOver`, if `holder` is still the one in office; undefined where somebody else has taken over meanwhile. */
  async takeOverFrom(holder: Writer): Promise<Writer | undefined> {
    let isOurs = false;
    const state = await this.#append((current) => {
      isOurs = isSameTerm(current.office, holder);
      return isOurs ? this.#takeOverRecord(current) : undefined;
    });
    return isOurs ? state.office : undefined;
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
