import { isSameTerm } from "#manifest/manifest.ts";
import { partNames } from "#manifest/manifest-checkpoints.ts";
import { adoptedOf, type ManifestState, manifestMachine } from "#manifest/manifest-state.ts";
import type { NodeNumber } from "#model/ids.ts";
import { nodeLogMachine, withoutAdopted } from "#nodelog/node-log-state.ts";
import { decodeEnvelope } from "#objectlog/envelope.ts";
import { fromEnvelope, type LogEntry } from "#objectlog/record.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { namedFiles, type ReadLog } from "#view/named.ts";
import type { SimStore, StoreWrite } from "../sim-store.ts";

const DATA_FILE = /\/data\/.*\.parquet$/;
const MANIFEST_ENTRY = /^cluster01\/manifest\/entry\/(\d{20})$/;
const MANIFEST_CHECKPOINT = /^cluster01\/manifest\/checkpoint\/(\d{20})$/;
const MANIFEST_PARTS = "cluster01/manifest/part/";
const NODE_ENTRY = /^([^/]+)\/log\/entry\/(\d{20})$/;

/**
 * Whether the files that records name are there (promise 8): goes through all that was ever put and deleted, in order, and notes in
 * `violations` each file that is deleted while it is named, and each that is named while it is not there.
 */
export class References {
  readonly violations: string[] = [];
  readonly #store: SimStore;
  readonly #present = new Set<string>();
  readonly #logs = new Map<string, ReadLog>();
  #manifest: ManifestState = manifestMachine.empty;
  /** The newest checkpoint of the manifest, and the keys of its parts. */
  #checkpoint = { position: 0, parts: new Set<string>() };
  /** Whose term it is: the node, and the start of it that took over. */
  #inOffice: Writer = { node: 0 as NodeNumber, epoch: 0 };
  #writeCount = 0;
  #deletionCount = 0;
  #filesDeletedCount = 0;

  constructor(store: SimStore) {
    this.#store = store;
  }

  /** Data files that were deleted. */
  get filesDeletedCount(): number {
    this.#update();
    return this.#filesDeletedCount;
  }

  /** What the manifest really says. */
  get manifest(): ManifestState {
    this.#update();
    return this.#manifest;
  }

  #update(): void {
    const { history } = this.#store;
    for (; this.#writeCount < history.length; this.#writeCount++) {
      this.#passDeletions();
      this.#passWrite(history[this.#writeCount] as StoreWrite);
    }
    this.#passDeletions();
  }

  /** What was deleted before the next write. */
  #passDeletions(): void {
    const { deletions } = this.#store;
    for (; this.#deletionCount < deletions.length; this.#deletionCount++) {
      const { key, writeCount } = deletions[this.#deletionCount] ?? { key: "", writeCount: 0 };
      if (writeCount > this.#writeCount) return;
      if (!this.#present.delete(key)) continue;
      if (this.#checkpoint.parts.has(key))
        this.violations.push(`P8: ${key} was deleted while the newest checkpoint names it`);
      if (!DATA_FILE.test(key)) continue;
      this.#filesDeletedCount += 1;
      for (const named of namedFiles(this.#manifest, this.#logs.values()))
        if (named.key === key) this.violations.push(`P8: ${key} was deleted while it was named`);
    }
  }

  #passWrite({ key, body }: StoreWrite): void {
    if (DATA_FILE.test(key) || key.startsWith(MANIFEST_PARTS)) this.#present.add(key);
    const [, checkpointDigits] = MANIFEST_CHECKPOINT.exec(key) ?? [];
    if (checkpointDigits !== undefined) this.#passCheckpoint(key, body, Number(checkpointDigits));
    const [, digits] = MANIFEST_ENTRY.exec(key) ?? [];
    if (digits !== undefined) this.#passManifest(key, body, Number(digits));
    const [, nodeId = "", nodeDigits] = NODE_ENTRY.exec(key) ?? [];
    if (nodeDigits !== undefined) this.#passLog(nodeId, key, body, Number(nodeDigits));
  }

  #passManifest(key: string, body: Uint8Array, position: number): void {
    // Stones lie over entries that were read before.
    if (position !== this.#manifest.position + 1) return;
    const entry = entryOf(key, body, position);
    this.#judgeTerm(entry);
    this.#manifest = manifestMachine.apply(this.#manifest, entry);
    this.#expectPresent(key);
    for (const [nodeId, { node, state }] of this.#logs) {
      const adopted = adoptedOf(this.#manifest, node).position;
      this.#logs.set(nodeId, {
        node,
        state: withoutAdopted(state, { position: adopted, manifest: 0 }),
      });
    }
  }

  /** Readers take the highest: one that comes late may name what is gone. */
  #passCheckpoint(key: string, body: Uint8Array, position: number): void {
    if (position <= this.#checkpoint.position) return;
    const parts = new Set(
      partNames(entryOf(key, body, position)).map((name) => MANIFEST_PARTS + name),
    );
    this.#checkpoint = { position, parts };
    for (const part of parts)
      if (!this.#present.has(part))
        this.violations.push(`P8: ${part} is named by ${key}, and is not there`);
  }

  /** Plans are of the process in office alone (promise 2). */
  #judgeTerm({ epoch, kind, node, position }: LogEntry): void {
    if (kind === "take_over") this.#inOffice = { node, epoch };
    if (kind !== "adopt" && kind !== "replace") return;
    if (isSameTerm(this.#inOffice, { node, epoch })) return;
    this.violations.push(
      `P2: manifest entry ${position} (${kind}) is of epoch ${epoch} of node ${node}, and epoch ${this.#inOffice.epoch} of node ${this.#inOffice.node} is in office`,
    );
  }

  #passLog(nodeId: string, key: string, body: Uint8Array, position: number): void {
    const known = this.#logs.get(nodeId)?.state ?? nodeLogMachine.empty;
    // What was deleted under a checkpoint can be put again; it is void.
    if (position !== known.position + 1) return;
    const entry = entryOf(key, body, position);
    this.#logs.set(nodeId, { node: entry.node, state: nodeLogMachine.apply(known, entry) });
    if (entry.kind === "snapshot") this.#expectPresent(key);
  }

  #expectPresent(by: string): void {
    for (const { key } of namedFiles(this.#manifest, this.#logs.values()))
      if (!this.#present.has(key))
        this.violations.push(`P8: ${key} is named after ${by}, and is not there`);
  }
}

function entryOf(key: string, body: Uint8Array, position: number): LogEntry {
  return fromEnvelope(decodeEnvelope(key, body), key, position);
}
