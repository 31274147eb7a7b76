import { DbError, describeError, isKind } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { isSameTerm, type Manifest } from "#manifest/manifest.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import type { Transport } from "#ports/transport.ts";
import type { Duty } from "./duty.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { OfficeAnswer, OfficeAsk } from "./office-call.ts";
import { Standby } from "./standby.ts";

export interface OfficeOptions {
  readonly clusterId: string;
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly store: ObjectStore;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  /** What the one in office does, by name. Each has a loop of its own, so that a long one keeps none waiting. */
  readonly duties: Readonly<Record<string, Duty>>;
  /** The pause of a duty that has nothing to do. */
  readonly checkIntervalMs: number;
}

/** How long a failed store may keep the one in office from its work before it says that it is in none. */
const TROUBLE_MS_MAX = 10_000;
const TROUBLE_PAUSE_MS = 1_000;

/**
 * The compactor's office: one process at a time is in it, the others stand by and take over when it is gone.
 *
 * Several may believe that they are in office; entries are put if absent, in the name of a term, on the state they were decided on, so
 * the earlier ones publish nothing (rule 3).
 */
export class CompactorOffice {
  readonly #options: OfficeOptions;
  readonly #heartbeat: Heartbeat;
  readonly #standby: Standby;
  #term: Writer | undefined;
  /** Since when the store keeps a duty from its work. */
  readonly #troubledSinceMs = new Map<string, number>();

  constructor(options: OfficeOptions) {
    this.#options = options;
    this.#heartbeat = new Heartbeat(options);
    this.#standby = new Standby({ ...options, heartbeat: this.#heartbeat });
  }

  /** The term that this process believes to be in; undefined while it stands by. */
  get term(): Writer | undefined {
    return this.#term;
  }

  /** What a standby that asks is told. Who is in office and cannot work for its store is as good as gone. */
  answer({ node }: OfficeAsk): OfficeAnswer {
    const { catalog, clock } = this.#options;
    this.#heartbeat.hear(node);
    const nowMs = clock.monotonicMs();
    const works = [...this.#troubledSinceMs.values()].every(
      (sinceMs) => nowMs - sinceMs < TROUBLE_MS_MAX,
    );
    return { node: catalog.writer.node, term: works ? (this.#term?.epoch ?? 0) : 0 };
  }

  /** Stands by, and works while in office, until `signal` is aborted. Rejects with bugs alone. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#hold(await this.#standby.takeOffice(signal), signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isKind(error, "internal")) throw error;
        const reason = describeError(error);
        log.warn("could not take the compactor's office and will try again", { reason });
        await clock.sleep(TROUBLE_PAUSE_MS, signal).catch(() => undefined);
      }
    }
  }

  /** Works in the term `office` until it is over. */
  async #hold(office: Writer, signal: AbortSignal): Promise<void> {
    const { duties, log } = this.#options;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    let failure: unknown;
    const untilOver = async (work: Promise<void>) => {
      await work.catch((error: unknown) => {
        if (!either.aborted && !isTermOver(error)) failure = error;
      });
      over.abort();
    };
    this.#term = office;
    this.#troubledSinceMs.clear();
    log.info("this node is the compactor in office", { term: office.epoch });
    await Promise.all([
      untilOver(this.#watchTerm(office, either)),
      untilOver(this.#heartbeat.run(office, either)),
      ...Object.keys(duties).map((name) => untilOver(this.#repeat(name, office, either))),
    ]);
    this.#term = undefined;
    if (failure !== undefined) throw failure;
    if (!signal.aborted) log.warn("another node has taken over compaction", { term: office.epoch });
  }

  /** Resolves when the manifest, as far as it is read here, says that the term is over. */
  async #watchTerm(office: Writer, signal: AbortSignal): Promise<void> {
    const { manifest } = this.#options;
    while (isSameTerm(manifest.state.office, office)) await manifest.changed.wait(signal);
  }

  /** Does one duty again and again; rejects when the term is over, and with bugs. */
  async #repeat(name: string, office: Writer, signal: AbortSignal): Promise<void> {
    const { checkIntervalMs, clock, duties, log } = this.#options;
    while (!signal.aborted) {
      let again = false;
      try {
        again = (await duties[name]?.step(office, signal)) === true;
        this.#troubledSinceMs.delete(name);
      } catch (error) {
        if (signal.aborted || isTermOver(error) || isKind(error, "internal")) throw error;
        this.#noteTrouble(name, error);
        log.warn("compaction failed and will be tried again", {
          duty: name,
          reason: describeError(error),
        });
      }
      if (!again) await clock.sleep(checkIntervalMs, signal).catch(() => undefined);
    }
  }

  #noteTrouble(name: string, error: unknown): void {
    const unreachable = error instanceof DbError && error.code === "store_unreachable";
    if (!unreachable) this.#troubledSinceMs.delete(name);
    else if (!this.#troubledSinceMs.has(name))
      this.#troubledSinceMs.set(name, this.#options.clock.monotonicMs());
  }
}

/** Another node has the office, or another process this node-id: either way nothing is published in this term any more. */
function isTermOver(error: unknown): boolean {
  return isKind(error, "conflict") && error.code === "node_fenced";
}
