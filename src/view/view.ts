import type { Generation } from "#buffer/generation.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import type { ManifestFile } from "#manifest/manifest-file.ts";
import { type AdoptedLog, adoptedOf, type ManifestState } from "#manifest/manifest-state.ts";
import type { NodeNumber, Position, TableId } from "#model/ids.ts";
import type { BufferSource } from "#model/query/plan.ts";
import type { RowDelete } from "#model/row-delete.ts";
import type { OrderStamp } from "#model/stamp.ts";
import { overlaps, type TimeRange } from "#model/time-range.ts";
import type { Snapshot } from "#nodelog/records.ts";
import type { LogSource } from "./log-source.ts";

/** Rows of one table in one buffered generation, as far as a view sees them. */
export interface ViewBuffer {
  readonly source: BufferSource;
  readonly node: NodeNumber;
  /** Its rows have higher stamps. */
  readonly stampAbove: OrderStamp;
  readonly time: TimeRange;
  readonly unique: boolean;
}

/** What a view sees of one node log: of the rows above `adopted`, those in files, and the rest in generations. */
interface LogPart {
  /** Rows up to here are the manifest's. */
  readonly adopted: AdoptedLog;
  /** Rows up to here are in files; all others have higher stamps. */
  readonly inFiles: { readonly position: Position; readonly stamp: OrderStamp };
  readonly position: Position;
  readonly snapshots: readonly Snapshot[];
  readonly generations: readonly Generation[];
}

/**
 * One catalog version, one manifest position and one position of each node log: what one query sees (promise 3).
 *
 * A value that never changes; it keeps what it names in the buffer until it is released.
 */
export class View implements Disposable {
  readonly catalog: CatalogState;
  readonly manifest: ManifestState;
  readonly #logs: ReadonlyMap<NodeNumber, LogPart>;
  readonly #onRelease: () => void;
  #released = false;

  /** Taken in one step, so that no state moves in the middle. */
  constructor(
    shared: { readonly catalog: CatalogState; readonly manifest: ManifestState },
    logs: Iterable<LogSource>,
    onRelease: () => void,
  ) {
    this.catalog = shared.catalog;
    this.manifest = shared.manifest;
    this.#onRelease = onRelease;
    this.#logs = new Map([...logs].map((log) => [log.node, partOf(log, shared.manifest)]));
    for (const generation of this.#generations()) generation.hold();
  }

  /** How far the view sees the log of `node`. */
  positionOf(node: NodeNumber): Position {
    const adopted = adoptedOf(this.manifest, node).position;
    return Math.max(this.#logs.get(node)?.position ?? 0, adopted);
  }

  /** The files that may hold rows of `tableId` in `time`. */
  files(tableId: TableId, time: TimeRange): readonly ManifestFile[] {
    const files = this.manifest.files.overlapping(tableId, time);
    for (const { adopted, snapshots } of this.#logs.values())
      for (const snapshot of snapshots)
        for (const file of snapshot.files)
          if (file.tableId === tableId && overlaps(file.time, time))
            files.push({ file, stampAbove: adopted.stamp });
    return files;
  }

  /** Whether it names the data file `key`. */
  names(key: string): boolean {
    if (this.manifest.files.find(new Set([key])).size > 0) return true;
    const snapshots = [...this.#logs.values()].flatMap((log) => log.snapshots);
    return snapshots.some(({ files }) => files.some((file) => file.key === key));
  }

  /** The generations that hold rows of `tableId`. */
  buffers(tableId: TableId): readonly ViewBuffer[] {
    const buffers: ViewBuffer[] = [];
    for (const [node, { inFiles, position, generations }] of this.#logs) {
      const range = { positionAbove: inFiles.position, positionMax: position };
      for (const generation of generations) {
        const table = generation.find(tableId, range);
        if (table === undefined) continue;
        const source: BufferSource = { kind: "buffer", generation: generation.id, ...range };
        const { time, unique } = table;
        buffers.push({ source, node, stampAbove: inFiles.stamp, time, unique });
      }
    }
    return buffers;
  }

  /** Deletes of rows of `tableId` that are in force; not all of them cover rows that are still there. */
  deletes(tableId: TableId): readonly RowDelete[] {
    return this.catalog.deletes.get(tableId) ?? [];
  }

  /** Lets go of what it names. Safe to call twice. */
  [Symbol.dispose](): void {
    if (this.#released) return;
    this.#released = true;
    for (const generation of this.#generations()) generation.release();
    this.#onRelease();
  }

  *#generations(): Generator<Generation> {
    for (const { generations } of this.#logs.values()) yield* generations;
  }
}

function partOf({ node, state, buffer }: LogSource, manifest: ManifestState): LogPart {
  const adopted = adoptedOf(manifest, node);
  const snapshots = state.snapshots.filter(({ through }) => through > adopted.position);
  const position = Math.max(state.snapshotted, adopted.position);
  // A checkpoint may have left out snapshots that a newer manifest had adopted: the stamp is then too low, which does no harm.
  const stamp = snapshots.at(-1)?.stamp ?? adopted.stamp;
  return {
    adopted,
    inFiles: { position, stamp },
    position: state.position,
    snapshots,
    generations: buffer.generations.filter(({ positionMax }) => positionMax > position),
  };
}
