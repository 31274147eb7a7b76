import type { ErrorParts } from "#base/errors.ts";
import type { ParsedParts } from "../parse.ts";
import type { ParseOptions } from "../parsed.ts";

/** A body on its way to the thread that parses; its memory goes with it. */
export interface ParseRequest {
  readonly id: number;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly options: ParseOptions;
}

/** What came of it; the memory of the body comes back. */
export type ParseAnswer =
  | {
      readonly kind: "parsed";
      readonly id: number;
      readonly body: Uint8Array<ArrayBuffer>;
      readonly parts: ParsedParts;
    }
  | { readonly kind: "failed"; readonly id: number; readonly error: ErrorParts };
