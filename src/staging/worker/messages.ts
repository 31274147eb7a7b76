import type { ParsedParts } from "#lineprotocol/parse.ts";
import type { ParseOptions } from "#lineprotocol/parsed.ts";
import type { FlushBlock } from "#model/flush.ts";
import type { RowSelection, StagedBody, StagedTarget } from "../stage.ts";

/** What the stage asks of its thread, and what that answers. */
export type Calls = {
  /** Keeps what `body` says under `bodyId` until it is released. The body's memory goes along. */
  readonly parse: {
    readonly request: {
      readonly bodyId: number;
      readonly body: Uint8Array<ArrayBuffer>;
      readonly options: ParseOptions;
    };
    readonly answer: BodyLooks;
  };
  /** A copy of all that was kept. */
  readonly parsed: {
    readonly request: { readonly bodyId: number };
    readonly answer: { readonly body: Uint8Array; readonly parts: ParsedParts };
  };
  readonly encode: {
    readonly request: { readonly parts: readonly RowsThere[] };
    readonly answer: readonly FlushBlock[];
  };
  readonly release: {
    readonly request: { readonly bodyIds: readonly number[] };
    readonly answer: undefined;
  };
};

export type BodyLooks = Pick<StagedBody, "tables" | "rejected" | "rejectedCount" | "lineCount">;

export interface RowsThere {
  readonly bodyId: number;
  readonly tableIndex: number;
  readonly rows: RowSelection;
  readonly target: StagedTarget;
}
