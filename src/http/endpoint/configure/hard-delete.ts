import { parseTimestampText } from "#model/time-text.ts";
import type { Parameters } from "../../exchange/parameters.ts";
import type { HardDelete } from "../../services.ts";

const ZONE = /(?:[Zz]|[+-]\d\d:\d\d)$/;

/** When the files of what is deleted may go, by `hard_delete_at`: a word, or a time of RFC 3339. */
export function hardDeleteTime(parameters: Parameters, nowNs: bigint): HardDelete {
  const text = parameters.text("hard_delete_at") ?? "default";
  if (text === "default" || text === "never" || text === "now") return text;
  const atNs = ZONE.test(text) ? parseTimestampText(text) : undefined;
  if (atNs === undefined) {
    throw parameters.wrong(
      `hard_delete_at is \`${text}\`, expected \`now\`, \`never\`, \`default\` or an RFC 3339 time`,
    );
  }
  return atNs <= nowNs ? "now" : { atNs };
}
