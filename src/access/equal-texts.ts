import { timingSafeEqual } from "node:crypto";
import { utf8 } from "#base/bytes.ts";

/** Compares what somebody brought with what it should be, in a time that does not depend on where they differ. */
export function equalTexts(left: string, right: string): boolean {
  const [leftBytes, rightBytes] = [utf8(left), utf8(right)];
  return leftBytes.length === rightBytes.length && timingSafeEqual(leftBytes, rightBytes);
}
