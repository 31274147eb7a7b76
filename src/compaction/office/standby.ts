import type { Catalog } from "#catalog/catalog.ts";
import type { Manifest } from "#manifest/manifest.ts";
import type { Epoch } from "#model/ids.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Clock } from "#ports/clock.ts";
import type { Transport } from "#ports/transport.ts";
import { BEAT_MS, type Heartbeat, isCompactor } from "./heartbeat.ts";
import {
  decodeOfficeAnswer,
  encodeOfficeCall,
  OFFICE_PATH,
  type OfficeAnswer,
} from "./office-call.ts";

export interface StandbyOptions {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly transport: Transport;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
}

const ASK_MS = 2_000;
const ASK_TIMEOUT_MS = 1_500;
/** Who has neither answered nor written a sign of life for this long is gone: one beat and a half. */
const SILENT_MS_MAX = BEAT_MS * 1.5;

/** Since when the one in office is silent. */
interface Doubt {
  readonly term: Epoch;
  readonly sinceMs: number;
  /** The sign of life that was in the store then. */
  readonly beat: string | undefined;
}

/**
 * Waits for the compactor's office. It asks the one in office every two seconds, over the network, which costs no request to the store;
 * where that is silent it looks for a sign of life in the store.
 *
 * All of this only decides when it is worth trying. A take-over counts because its entry was put if absent on the term that was watched;
 * whoever was in office, and lives after all, is refused at its next entry.
 */
export class Standby {
  readonly #options: StandbyOptions;
  #doubt: Doubt | undefined;
  #askedMs: number;

  constructor(options: StandbyOptions) {
    this.#options = options;
    this.#askedMs = options.clock.monotonicMs();
  }

  /** Resolves with the term of this process once it is in office. Rejects as the store does, and when `signal` is aborted. */
  async takeOffice(signal: AbortSignal): Promise<Writer> {
    const { manifest } = this.#options;
    while (true) {
      signal.throwIfAborted();
      const holder = manifest.state.office;
      if (!this.#isVacant(holder) && !(await this.#isGone(holder, signal))) continue;
      this.#doubt = undefined;
      const office = await manifest.takeOverFrom(holder);
      if (office !== undefined) return office;
    }
  }

  /** Whether the catalog says that nobody works in the term of `holder`. A term of this node is one of an earlier process. */
  #isVacant(holder: Writer): boolean {
    const { catalog } = this.#options;
    const node = catalog.state.nodes.get(holder.node);
    return node === undefined || node.number === catalog.writer.node || !isCompactor(node);
  }

  /** Asks once, when it is time; answers whether `holder` does not work in its term any more. */
  async #isGone(holder: Writer, signal: AbortSignal): Promise<boolean> {
    const { clock, manifest } = this.#options;
    const restMs = this.#askedMs + ASK_MS - clock.monotonicMs();
    if (restMs > 0) await clock.sleep(restMs, signal);
    this.#askedMs = clock.monotonicMs();
    const answer = await this.#ask(holder);
    if (answer === undefined) return this.#isSilent(holder);
    this.#doubt = undefined;
    // A term that this process has not read of yet.
    if (answer.term > holder.epoch) await manifest.refresh();
    return answer.term < holder.epoch;
  }

  /** Undefined for silence, and for answers of somebody else. */
  async #ask(holder: Writer): Promise<OfficeAnswer | undefined> {
    const { catalog, transport } = this.#options;
    const record = catalog.state.nodes.get(holder.node);
    if (record === undefined) return undefined;
    const body = encodeOfficeCall({ node: catalog.writer.node });
    const to = { node: record.number, epoch: record.epoch };
    const request = {
      method: "POST",
      path: OFFICE_PATH,
      to,
      body,
      timeoutMs: ASK_TIMEOUT_MS,
    } as const;
    try {
      const { status, body: answered } = await transport.send(record.address, request);
      const answer = status === 200 ? decodeOfficeAnswer(answered) : undefined;
      return answer?.node === holder.node ? answer : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whether the one in office, who does not answer, gives no sign of life in the store either. */
  async #isSilent({ epoch: term }: Writer): Promise<boolean> {
    const { clock, heartbeat } = this.#options;
    const nowMs = clock.monotonicMs();
    const doubt = this.#doubt;
    if (doubt !== undefined && doubt.term === term && nowMs - doubt.sinceMs < BEAT_MS) return false;
    const beat = await heartbeat.read();
    if (doubt === undefined || doubt.term !== term || doubt.beat !== beat) {
      this.#doubt = { term, sinceMs: nowMs, beat };
      return false;
    }
    return nowMs - doubt.sinceMs >= SILENT_MS_MAX;
  }
}
