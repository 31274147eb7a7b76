/** Manifests for tests: what they hold, any history of them, and stored ones. */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { partNames } from "#manifest/manifest-checkpoints.ts";
import { adoptedOf, type ManifestState, manifestMachine } from "#manifest/manifest-state.ts";
import type { DataFile } from "#model/data-file.ts";
import type { NodeNumber } from "#model/ids.ts";
import { decodeEnvelope, encodeEnvelope, type RecordKind } from "#objectlog/envelope.ts";
import { fromEnvelope, type LogEntry, type LogRecord, toEnvelope } from "#objectlog/record.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { writerOf } from "../logs.ts";
import { fileOf } from "../node-logs.ts";

export const STORED_NONCE = "00112233445566778899aabbccddeeff";

/** All of `state`, for comparisons. */
export function contentOf({ files, ...rest }: ManifestState) {
  return { ...rest, files: [...files] };
}

/** The objects in `src/manifest/testdata/`. */
export function storedObjects(name: string): readonly Uint8Array[] {
  const url = new URL(`../../manifest/testdata/${name}`, import.meta.url);
  const lines = readFileSync(url, "utf8").trim().split("\n");
  return lines.map((line) => Uint8Array.from(Buffer.from(line, "hex")));
}

/** Longer keys are of later files. */
export function timedFile(key: string): DataFile {
  const atNs = BigInt(key.length);
  return { ...fileOf(key), time: { start: atNs, end: atNs } };
}

export async function keysIn(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  return (await store.list(prefix)).map(({ key }) => key);
}

/** The keys of the parts that the checkpoints of the log at `prefix` name. */
export async function namedParts(store: ObjectStore, prefix: string): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  for (const key of await keysIn(store, `${prefix}checkpoint/`)) {
    const bytes = (await store.get(key)) ?? new Uint8Array(0);
    const entry = fromEnvelope(decodeEnvelope(key, bytes), key, Number(key.slice(-20)));
    for (const name of partNames(entry)) named.add(`${prefix}part/${name}`);
  }
  return named;
}

type Wish = readonly [kind: "adopt" | "replace" | "take_over" | "barrier", dice: number];

/** An entry of the manifest that needs version `catalog`. */
export function manifestRecord(
  kind: RecordKind,
  body: unknown,
  catalog = 0,
  writer = writerOf(1, 1),
): LogRecord {
  const payload = new Uint8Array(0);
  return { kind, ...writer, needs: { catalog, manifest: 0 }, body, payload };
}

/** The record that may follow on `state`, chosen by the number; undefined where none of that kind may. */
function legalRecord(state: ManifestState, [kind, dice]: Wish): LogRecord | undefined {
  const writer = writerOf(1 + (dice % 3), 1 + (dice % 2));
  const position = state.position + 1;
  switch (kind) {
    case "adopt": {
      const node = (1 + (dice % 3)) as NodeNumber;
      const { position: before, stamp } = adoptedOf(state, node);
      const files = [fileOf(`adopted ${position}`, 1 + (dice % 2)), fileOf(`too ${position}`)];
      const through = before + 1 + (dice % 5);
      return manifestRecord(
        kind,
        { node, through, stamp: stamp + BigInt(dice), files: files.slice(dice % 3) },
        dice,
        writer,
      );
    }
    case "replace": {
      const files = [...state.files].map(({ file }) => file.key);
      if (files.length === 0) return undefined;
      const inputs = files.filter((_, index) => index % 3 === dice % 3);
      const outputs = [fileOf(`output ${position}`)];
      const collected = state.replaced[dice % 4]?.position;
      return manifestRecord(kind, { inputs, outputs, collected }, dice, writer);
    }
    case "take_over":
      return manifestRecord(kind, { office: state.office.epoch + 1 }, dice, writer);
    case "barrier":
      return manifestRecord(kind, {}, dice, writer);
  }
}

/** Entries one may wish for; `replay` makes those that may be. */
export const aHistory = fc.array(
  fc.tuple(fc.constantFrom("adopt", "adopt", "replace", "take_over", "barrier"), fc.nat(50)),
  { maxLength: 20 },
) as fc.Arbitrary<readonly Wish[]>;

/** The states after each entry, `start` first. */
export function replay(
  wishes: readonly Wish[],
  start: ManifestState = manifestMachine.empty,
): readonly ManifestState[] {
  const states = [start];
  for (const wish of wishes) {
    const state = states.at(-1) ?? start;
    const next = legalRecord(state, wish);
    if (next !== undefined)
      states.push(manifestMachine.apply(state, throughBytes(next, state.position + 1)));
  }
  return states;
}

/** `content` as it is read again. */
export function throughBytes(content: LogRecord, position: number): LogEntry {
  const bytes = encodeEnvelope(toEnvelope(content, position, STORED_NONCE));
  return fromEnvelope(decodeEnvelope("key", bytes), "key", position);
}
