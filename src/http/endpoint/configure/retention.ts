import { isKind } from "#base/errors.ts";
import type { Parameters } from "../../exchange/parameters.ts";
import { parseDuration } from "./duration.ts";

const NAME = "retention_period";

/** How long rows are kept, by `retention_period` of a JSON body; undefined, null and no time at all: for ever. */
export function retentionOf(parameters: Parameters): bigint | undefined {
  const text = parameters.text(NAME);
  if (text === undefined) return undefined;
  try {
    return keptNs(text);
  } catch (error) {
    if (isKind(error, "invalid")) throw parameters.wrongValue(NAME, "a duration");
    throw error;
  }
}

/** The same by `duration` of a URL, which must be there. */
export function queriedRetention(parameters: Parameters): bigint | undefined {
  return keptNs(parameters.requiredText("duration"));
}

/** As in InfluxDB 1 and 2, 0 is no limit: a period of nothing would keep no row. */
function keptNs(text: string): bigint | undefined {
  const retentionNs = parseDuration(text);
  return retentionNs === 0n ? undefined : retentionNs;
}
