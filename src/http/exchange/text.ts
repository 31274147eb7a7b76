import { isUtf8 } from "node:buffer";
import { DbError } from "#base/errors.ts";

/** Throws `invalid` / `body_text` where `body` is no text, with the place from which on it is none. */
export function requireUtf8(body: Uint8Array): void {
  if (isUtf8(body)) return;
  throw new DbError("invalid", "body_text", `body content is not valid utf8: ${problemOf(body)}`);
}

/** In the words that clients of InfluxDB 3 know: how many bytes could have begun a character, and where. */
function problemOf(body: Uint8Array): string {
  let index = 0;
  while (true) {
    const step = readCharacter(body, index);
    if (step.kind === "incomplete") return `incomplete utf-8 byte sequence from index ${index}`;
    if (step.kind === "wrong") {
      return `invalid utf-8 sequence of ${step.sizeBytes} bytes from index ${index}`;
    }
    index += step.sizeBytes;
  }
}

interface Step {
  /** `incomplete`: the body ends within the character, or before it. */
  readonly kind: "character" | "wrong" | "incomplete";
  readonly sizeBytes: number;
}

/** What stands at `index`, by table 3-7 of the Unicode standard. */
function readCharacter(body: Uint8Array, index: number): Step {
  const lead = body[index] ?? 0;
  if (lead < 0x80) return { kind: "character", sizeBytes: 1 };
  if (lead < 0xc2 || lead > 0xf4) return { kind: "wrong", sizeBytes: 1 };
  const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let place = 1; place < size; place++) {
    const byte = body[index + place];
    if (byte === undefined) return { kind: "incomplete", sizeBytes: place };
    const [low, high] = place === 1 ? secondByteRange(lead) : [0x80, 0xbf];
    if (byte < low || byte > high) return { kind: "wrong", sizeBytes: place };
  }
  return { kind: "character", sizeBytes: size };
}

/** Which bytes may follow `lead`: not all, for no character is written longer than it must be, or is half of a pair. */
function secondByteRange(lead: number): readonly [low: number, high: number] {
  switch (lead) {
    case 0xe0:
      return [0xa0, 0xbf];
    case 0xed:
      return [0x80, 0x9f];
    case 0xf0:
      return [0x90, 0xbf];
    case 0xf4:
      return [0x80, 0x8f];
    default:
      return [0x80, 0xbf];
  }
}
