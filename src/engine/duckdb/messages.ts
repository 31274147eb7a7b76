/** What the adapter and its child process say to each other, by structured clone. */
import type { ErrorParts } from "#base/errors.ts";
import type { GenerationId } from "#model/ids.ts";
import type { Plan } from "#model/query/plan.ts";
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import type { BufferedBlock, RowText } from "#ports/engine.ts";

/** How the engine is set up; see docs/decisions for what is locked. */
export interface ChildSettings {
  readonly memorySizeMax: number;
  readonly threads: number;
  /** The engine may read and write in these folders alone; `spill` is for its own temporary files. */
  readonly directories: {
    readonly cache: string;
    readonly spill: string;
  };
  readonly spillSizeMax: number;
  /** Queries that run at a time; more wait. */
  readonly queryCountMax: number;
  readonly queryWaitingMax: number;
}

/** `id` names the work that later messages belong to. */
export type Request =
  | { readonly kind: "open"; readonly settings: ChildSettings }
  | { readonly kind: "append"; readonly id: number; readonly blocks: readonly BufferedBlock[] }
  | { readonly kind: "drop"; readonly id: number; readonly generation: GenerationId }
  | {
      readonly kind: "query";
      readonly id: number;
      readonly plan: Plan;
      readonly rowText: RowText | undefined;
      readonly paths: ReadonlyMap<string, string>;
    }
  /** The consumer took an item: one more may be made. */
  | { readonly kind: "next"; readonly id: number }
  | { readonly kind: "cancel"; readonly id: number };

/** A batch on its way: a text that many rows have travels once. */
export interface MadeBatch {
  readonly rowCount: number;
  readonly columns: readonly MadeColumn[];
  readonly text?: Uint8Array;
}

/** As of ResultColumn; of texts, `code` stands for `dictionary[code - 1]`, and 0 is NULL. */
export type MadeColumn =
  | Exclude<ResultColumn, { readonly type: "string" | "list" | "struct" | "map" }>
  | {
      readonly type: "string";
      readonly codes: Uint32Array;
      readonly dictionary: readonly string[];
    }
  | (Omit<PartedColumn<"list">, "items"> & { readonly items: MadeColumn })
  | (Omit<PartedColumn<"struct">, "members"> & { readonly members: readonly MadeColumn[] })
  | (Omit<PartedColumn<"map">, "keys" | "values"> & {
      readonly keys: MadeColumn;
      readonly values: MadeColumn;
    });

type PartedColumn<Type> = Extract<ResultColumn, { readonly type: Type }>;

export type Answer =
  | { readonly kind: "ready" }
  /** To `cancel`: the process listens, whatever the engine does. */
  | { readonly kind: "heard" }
  | { readonly kind: "item"; readonly id: number; readonly item: MadeBatch }
  /** The last of its id. `bufferSizeBytes` is what all buffered rows take. */
  | { readonly kind: "done"; readonly id: number; readonly bufferSizeBytes: number }
  | { readonly kind: "failed"; readonly id: number; readonly failure: Failure };

export interface Failure extends ErrorParts {
  /** What the engine said, for the log. */
  readonly cause?: string;
}

/** Batches that a query may have made that its consumer has not taken. */
export const BATCHES_AHEAD = 2;

/** A batch as others know it. */
export function resultBatch({ columns, ...batch }: MadeBatch): ResultBatch {
  return { ...batch, columns: columns.map(resultColumn) };
}

function resultColumn(column: MadeColumn): ResultColumn {
  switch (column.type) {
    case "string": {
      const { type, codes, dictionary } = column;
      return { type, values: Array.from(codes, (code) => dictionary[code - 1] ?? null) };
    }
    case "list":
      return { ...column, items: resultColumn(column.items) };
    case "struct":
      return { ...column, members: column.members.map(resultColumn) };
    case "map":
      return { ...column, keys: resultColumn(column.keys), values: resultColumn(column.values) };
    default:
      return column;
  }
}
