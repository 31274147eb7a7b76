import { untilAborted } from "#base/async.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { NodeRecord } from "#catalog/catalog-state.ts";
import type { Manifest } from "#manifest/manifest.ts";
import type { Epoch, NodeNumber, Position } from "#model/ids.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { Random } from "#ports/random.ts";
import type { Transport } from "#ports/transport.ts";
import type { KnownEnd } from "../log-follower.ts";
import type { Push } from "../pusher.ts";
import { SharedLooks } from "./shared-looks.ts";
import {
  decodeStanding,
  encodeStandingAsk,
  STANDING_PATH,
  type Standing,
  type StandingAsk,
  type Word,
} from "./standing.ts";

export interface ContactsOptions {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly catalogSyncIntervalMs: number;
  /** All that this process has acknowledged stands in the node's log at or below this; undefined where it cannot say that. */
  readonly ownTail: () => Position | undefined;
  /** Told how far the log of another node goes. */
  readonly onTail: (push: Push) => void;
  /** Told of each node that asks or answers. */
  readonly onHeard: (node: NodeNumber) => void;
}

/** A word, and when it was true for certain, by the monotonic clock: before that who heard it first had asked. */
interface Heard {
  readonly epoch: Epoch;
  readonly tail: Position | undefined;
  readonly asOfMs: number;
}

const ASK_INTERVAL_MS = 1_000;
const ASK_TIMEOUT_MS = 900;
/** One question in between may get lost. Nothing that was acknowledged is overlooked for longer. */
const WORD_MS_MAX = 3_000;
const MANIFEST_SYNC_MS = 1_000;
/** Together, nodes that hear each other look so often: it is how a new node is found that none of them hears. */
const CATALOG_QUIET_MS = 40_000;
/** Whoever writes the manifest is in the catalog. */
const MANIFEST_QUIET_MS = 10 * 60_000;
const NOTHING_KNOWN: KnownEnd = { told: undefined, stoppedIn: undefined };

/**
 * Asks all other nodes every second how far the logs go, so that the store need not be asked (decision 0018). Who does not answer, and of
 * whom nobody else has a word, may have written something: then it is looked for in the store.
 *
 * Nothing is shown because of what a node says, and nothing deleted: it decides when to look.
 */
export class Contacts {
  readonly #options: ContactsOptions;
  readonly #catalogLooks: SharedLooks;
  readonly #manifestLooks: SharedLooks;
  /** The newest word of each node of the catalog, be it brought by another. */
  readonly #words = new Map<NodeNumber, Heard>();
  readonly #asking = new Map<NodeNumber, Promise<void>>();

  constructor(options: ContactsOptions) {
    this.#options = options;
    const { catalog, catalogSyncIntervalMs, manifest } = options;
    this.#catalogLooks = new SharedLooks({
      ...options,
      reader: catalog,
      intervalMs: catalogSyncIntervalMs,
      quietMs: CATALOG_QUIET_MS,
      // A node that is alone has nobody who would hear of a new one.
      isQuiet: () => this.#peers().length > 0 && this.silentCount === 0,
    });
    this.#manifestLooks = new SharedLooks({
      ...options,
      reader: manifest,
      intervalMs: MANIFEST_SYNC_MS,
      quietMs: MANIFEST_QUIET_MS,
      isQuiet: () => this.silentCount === 0,
    });
  }

  /** Nodes that should run, of whom there is no word. */
  get silentCount(): number {
    return this.#peers().filter((peer) => this.#wordOf(peer) === undefined).length;
  }

  /** What is known of the end of the log of `node` without asking the store. */
  endOf(node: NodeNumber): KnownEnd {
    const record = this.#options.catalog.state.nodes.get(node);
    if (record === undefined) return NOTHING_KNOWN;
    if (record.state === "stopped") return { told: undefined, stoppedIn: record.epoch };
    return { told: this.#wordOf(record)?.tail, stoppedIn: undefined };
  }

  /** Answers another node. */
  answer({ node, catalog }: StandingAsk): Standing {
    this.#options.onHeard(node);
    this.#catalogLooks.hearPosition(catalog);
    const { node: own, epoch } = this.#options.catalog.writer;
    return {
      node: own,
      catalog: this.#catalogLooks.end,
      manifest: this.#manifestLooks.end,
      words: [{ node: own, epoch, tail: this.#options.ownTail(), ageMs: 0 }, ...this.#lately()],
    };
  }

  /** Asks until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { catalog, clock } = this.#options;
    while (!signal.aborted) {
      for (const node of this.#words.keys())
        if (!catalog.state.nodes.has(node)) this.#words.delete(node);
      for (const peer of this.#peers()) {
        const { number } = peer;
        if (this.#asking.has(number)) continue;
        const asking = this.#ask(peer, signal).finally(() => this.#asking.delete(number));
        this.#asking.set(number, asking);
      }
      await clock.sleep(ASK_INTERVAL_MS, signal).catch(() => undefined);
    }
    await Promise.all(this.#asking.values());
  }

  /** Reads the catalog along, as `SharedLooks.run`. */
  followCatalog(signal: AbortSignal): Promise<void> {
    return this.#catalogLooks.run(signal);
  }

  /** Reads the manifest along, as `SharedLooks.run`. */
  followManifest(signal: AbortSignal): Promise<void> {
    return this.#manifestLooks.run(signal);
  }

  /** The other nodes that run, as far as the catalog says. */
  #peers(): readonly NodeRecord[] {
    const { catalog } = this.#options;
    return [...catalog.state.nodes.values()].filter(
      ({ number, state }) =>
        number !== catalog.writer.node && (state === "running" || state === "stopping"),
    );
  }

  /** The word of the process that the catalog names, not of an earlier one, if it is new enough. */
  #wordOf({ number, epoch }: NodeRecord): Heard | undefined {
    const word = this.#words.get(number);
    if (word === undefined || word.epoch !== epoch) return undefined;
    return this.#ageOf(word) <= WORD_MS_MAX ? word : undefined;
  }

  #ageOf({ asOfMs }: Heard): number {
    return Math.max(0, this.#options.clock.monotonicMs() - asOfMs);
  }

  *#lately(): Generator<Word> {
    for (const [node, heard] of this.#words) {
      const { epoch, tail } = heard;
      const ageMs = this.#ageOf(heard);
      if (ageMs <= WORD_MS_MAX) yield { node, epoch, tail, ageMs };
    }
  }

  async #ask({ number: node, epoch, address }: NodeRecord, signal: AbortSignal): Promise<void> {
    const { catalog, clock, transport } = this.#options;
    const askedMs = clock.monotonicMs();
    const ask = { node: catalog.writer.node, catalog: catalog.state.position };
    const request = {
      method: "POST",
      path: STANDING_PATH,
      to: { node, epoch },
      body: encodeStandingAsk(ask),
      timeoutMs: ASK_TIMEOUT_MS,
    } as const;
    // Silence is an answer, too.
    const answer = await untilAborted(transport.send(address, request), signal).catch(
      () => undefined,
    );
    const standing = answer?.status === 200 ? decodeStanding(answer.body) : undefined;
    if (standing?.node === node) this.#hear(standing, askedMs);
  }

  #hear({ node, catalog, manifest, words }: Standing, askedMs: number): void {
    this.#options.onHeard(node);
    this.#catalogLooks.hear(catalog, askedMs);
    this.#manifestLooks.hear(manifest, askedMs);
    for (const { node: speaker, epoch, tail, ageMs } of words)
      this.#note(speaker, { epoch, tail, asOfMs: askedMs - ageMs });
  }

  #note(node: NodeNumber, heard: Heard): void {
    const { catalog, onTail } = this.#options;
    if (node === catalog.writer.node || !catalog.state.nodes.has(node)) return;
    const known = this.#words.get(node);
    if (known !== undefined && known.epoch > heard.epoch) return;
    if (known?.epoch === heard.epoch && known.asOfMs >= heard.asOfMs) return;
    this.#words.set(node, heard);
    if (heard.tail !== undefined) onTail({ node, position: heard.tail });
  }
}
