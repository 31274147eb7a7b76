/** Marks a number so that one kind of identifier cannot be passed for another. */
type Branded<Name extends string> = number & { readonly __brand: Name };

/** Of a database; given by the catalog, never used again. */
export type DatabaseId = Branded<"DatabaseId">;
/** Of a table, unique over all databases of a cluster; never used again. */
export type TableId = Branded<"TableId">;
/** Of a column, unique within its table, and the Parquet field id; never used again. */
export type ColumnId = Branded<"ColumnId">;
/** Of a node-id in its cluster, 1 to NODE_NUMBER_MAX; the lowest bits of its order stamps; never used again. */
export type NodeNumber = Branded<"NodeNumber">;
/** Of a token in its cluster, from 0; given by the catalog, never used again. */
export type TokenId = Branded<"TokenId">;
/** Of a delete of rows in its cluster, 1, 2, 3 …; given by the catalog, never used again. */
export type RowDeleteId = Branded<"RowDeleteId">;
/** Of a set of buffered blocks of one node log, unique within one process. */
export type GenerationId = Branded<"GenerationId">;
/** Of an entry in an object log: 1, 2, 3 … without holes. 0 is before the first. */
export type Position = number;
/** Of a start of a node, or of a term in the compactor's office: 1, 2, 3 …; the higher one wins. */
export type Epoch = number;
