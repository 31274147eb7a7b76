import type { ErrorDetail, ErrorKind } from "#base/errors.ts";
import type { PlaceArrays } from "../lines.ts";
import type { ParsedBody, ParseOptions } from "../parsed.ts";

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
      readonly parsed: Omit<ParsedBody, "describeLine">;
      readonly places: PlaceArrays;
    }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly error: {
        readonly kind: ErrorKind;
        readonly code: string;
        readonly message: string;
        readonly detail: ErrorDetail;
      };
    };
