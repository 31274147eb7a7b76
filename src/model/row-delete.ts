import type { DataFile } from "./data-file.ts";
import type { ColumnId, NodeNumber, RowDeleteId, TableId } from "./ids.ts";
import { nodeOfStamp, type OrderStamp, STAMP_NONE } from "./stamp.ts";
import { overlaps, type TimeRange } from "./time-range.ts";
import type { WriteToken } from "./write-token.ts";

/**
 * Rows of one table that are gone: those with a time in `time` and tags as `condition` says, whose order stamp is at or below the cut of
 * their node (docs/decisions/0022-row-deletes.md).
 */
export interface RowDelete {
  readonly id: RowDeleteId;
  readonly tableId: TableId;
  readonly time: TimeRange;
  /** Absent: any tags. */
  readonly condition?: TagCondition | undefined;
  /** One for each node that has rows which may be covered. */
  readonly cuts: readonly DeleteCut[];
  /** When it was asked for. */
  readonly atNs: bigint;
}

/** Rows of `node` are covered up to `stamp`. */
export interface DeleteCut {
  readonly node: NodeNumber;
  readonly stamp: OrderStamp;
}

/** What the tags of a row must be. A tag that a row does not have is the empty text. */
export type TagCondition =
  | {
      readonly kind: "in";
      readonly columnId: ColumnId;
      readonly values: readonly string[];
      /** Whether the tag must be none of `values`. */
      readonly negated: boolean;
    }
  | { readonly kind: "and" | "or"; readonly conditions: readonly TagCondition[] };

/** Whether a row with this stamp is covered, if its time and its tags are. */
export function coversStamp(one: RowDelete, stamp: OrderStamp): boolean {
  return stamp <= cutOf(one, nodeOfStamp(stamp));
}

/** STAMP_NONE where no row of `node` is covered. */
export function cutOf({ cuts }: Pick<RowDelete, "cuts">, node: NodeNumber): OrderStamp {
  return cuts.find((cut) => cut.node === node)?.stamp ?? STAMP_NONE;
}

/** Whether rows of `file` with a stamp above `stampAbove` may be covered, as far as what is known of it says. */
export function mayCoverFile(
  one: RowDelete,
  file: Pick<DataFile, "deletesBelow" | "node" | "stampMin" | "time">,
  stampAbove: OrderStamp = STAMP_NONE,
): boolean {
  if (one.id < (file.deletesBelow ?? 0) || !overlaps(one.time, file.time)) return false;
  // A compacted file has rows of any nodes.
  const cut = file.node === 0 ? lastCut(one) : cutOf(one, nodeOfStamp(file.stampMin));
  return file.stampMin <= cut && stampAbove < cut;
}

function lastCut({ cuts }: RowDelete): OrderStamp {
  return cuts.reduce((last, { stamp }) => (stamp > last ? stamp : last), STAMP_NONE);
}

/** `condition` as a function of rows. `testerOf` makes one for a single tag, of a function of its text. */
export function compileTagCondition<Row>(
  condition: TagCondition,
  testerOf: (columnId: ColumnId, accepts: (text: string) => boolean) => (row: Row) => boolean,
): (row: Row) => boolean {
  if (condition.kind === "in") {
    const { columnId, negated } = condition;
    const values = new Set(condition.values);
    return testerOf(columnId, (text) => values.has(text) !== negated);
  }
  const parts = condition.conditions.map((part) => compileTagCondition(part, testerOf));
  return condition.kind === "and"
    ? (row) => parts.every((accepts) => accepts(row))
    : (row) => parts.some((accepts) => accepts(row));
}

/** The tags that `condition` asks about. */
export function tagsOfCondition(condition: TagCondition | undefined): readonly ColumnId[] {
  if (condition === undefined) return [];
  if (condition.kind === "in") return [condition.columnId];
  return condition.conditions.flatMap(tagsOfCondition);
}

/** What somebody asks to be deleted, in the names that users know. */
export interface RowDeletion {
  readonly database: string;
  /** One that is not there has no rows; undefined: all tables of the database. */
  readonly tables: readonly string[] | undefined;
  readonly time: TimeRange;
  /** Undefined: any tags. */
  readonly condition: NamedTagCondition | undefined;
}

/** As TagCondition. `matches` is true where the regular expression `pattern`, in RE2's syntax, matches any part of the tag. */
export type NamedTagCondition =
  | {
      readonly kind: "equal";
      readonly tag: string;
      readonly value: string;
      readonly negated: boolean;
    }
  | {
      readonly kind: "matches";
      readonly tag: string;
      readonly pattern: string;
      readonly negated: boolean;
    }
  | { readonly kind: "and" | "or"; readonly conditions: readonly NamedTagCondition[] };

export interface RowDeleter {
  /**
   * Deletes rows: all that were acknowledged before it was asked for, and none written after its answer (promise 7). It is in force in all
   * views that this node takes after it has answered, and in those of others for reads that bring the token.
   *
   * Rejects with `not_found` / `database_not_found`, `invalid` / `delete_field` where the condition names a field, `exceeded` /
   * `delete_limit` where too many deletes of a table wait to be carried out in its files, `delete_values` where a pattern matches too many
   * values, and `unavailable` where the store does not answer: then it may be in force or not, and can be asked for again.
   */
  deleteRows(deletion: RowDeletion, signal: AbortSignal): Promise<WriteToken>;
}
