import type { TableId } from "#model/ids.ts";
import type { ManifestFile } from "./manifest-file.ts";
import type { ManifestFiles } from "./manifest-files.ts";
import type { ManifestPart } from "./manifest-part.ts";

/** Packed parts that are looked into; of more, all tables count as changed. Some 2 ms each. */
const UNPACKED_MAX = 64;

/**
 * The tables whose files in `after` are not those in `before`; may have some others. What both share costs nothing, and where files were
 * added beside packed ones, only what was added is looked at.
 */
export function changedTables(before: ManifestFiles, after: ManifestFiles): ReadonlySet<TableId> {
  const gone = partsBut(before, after);
  const come = partsBut(after, before);
  const shared = digestsOf(gone).intersection(digestsOf(come));
  const isApart = ({ packedDigest }: ManifestPart) =>
    packedDigest !== undefined && !shared.has(packedDigest);
  const apart = [...gone, ...come].filter(isApart);
  const unread = new Set(apart.length > UNPACKED_MAX ? apart : []);
  const filesOf = (part: ManifestPart): readonly ManifestFile[] => {
    if (unread.has(part)) return [];
    return isApart(part) ? part.files : part.plain;
  };
  const changed = new Set([...unread].flatMap(({ summary }) => summary.tableIds));
  const left = new Map(gone.flatMap(filesOf).map(({ file }) => [file.key, file.tableId]));
  for (const { file } of come.flatMap(filesOf))
    if (!left.delete(file.key)) changed.add(file.tableId);
  for (const tableId of left.values()) changed.add(tableId);
  return changed;
}

/** Parts of `files` that `others` does not share. */
function partsBut(files: ManifestFiles, others: ManifestFiles): readonly ManifestPart[] {
  const shared = new Set(others.parts);
  return files.parts.filter((part) => !shared.has(part));
}

function digestsOf(parts: readonly ManifestPart[]): ReadonlySet<string> {
  return new Set(parts.flatMap(({ packedDigest }) => packedDigest ?? []));
}
