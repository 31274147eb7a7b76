import type { Entry, EntryKind } from "#raft/message.ts";
import { type ByteReader, type ByteWriter, malformed } from "./bytes.ts";

const KINDS: readonly EntryKind[] = ["normal", "change", "single_change"];
/** Of one entry without its data, at least. */
const ENTRY_SIZE_MIN = 13;

/** Writes consecutive entries, or proposed ones, which all have the index 0: the first one's index, then each one's term, kind and data. */
export function encodeEntries(writer: ByteWriter, entries: readonly Entry[]): void {
  writer.u32(entries.length);
  const [first] = entries;
  if (first === undefined) return;
  writer.u64(first.index);
  for (const entry of entries) {
    writer.u64(entry.term);
    writer.u8(KINDS.indexOf(entry.kind));
    writer.sized(entry.data);
  }
}

/** Their data are views into the bytes that are read. */
export function decodeEntries(reader: ByteReader): readonly Entry[] {
  const count = reader.u32();
  if (count * ENTRY_SIZE_MIN > reader.rest)
    throw malformed(`${count} entries in ${reader.rest} bytes`);
  const entries: Entry[] = [];
  if (count === 0) return entries;
  const firstIndex = reader.u64();
  for (let index = 0; index < count; index++) {
    const term = reader.u64();
    const kind = KINDS[reader.u8()];
    if (kind === undefined) throw malformed("an entry is of no known kind");
    entries.push({
      term,
      index: firstIndex === 0 ? 0 : firstIndex + index,
      kind,
      data: reader.sized(),
    });
  }
  return entries;
}
