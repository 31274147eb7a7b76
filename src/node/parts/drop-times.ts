import type { DropTimes } from "#catalog/catalog.ts";
import type { HardDelete } from "#http/services.ts";
import type { NodeConfig } from "../config.ts";

/** When the files of a dropped database or table may go, counted from the drop, unless somebody says otherwise: 90 days. */
const HARD_DELETE_DEFAULT_MS = 90 * 86_400_000;

/** When files go that are dropped at `nowNs`. */
export function dropTimes(
  hardDelete: HardDelete,
  nowNs: bigint,
  { hardDeleteDefaultMs = HARD_DELETE_DEFAULT_MS }: Pick<NodeConfig, "hardDeleteDefaultMs">,
): DropTimes {
  if (hardDelete === "never") return { nowNs, hardDeleteAtNs: undefined };
  if (hardDelete === "now") return { nowNs, hardDeleteAtNs: nowNs };
  const defaultNs = nowNs + BigInt(Math.floor(hardDeleteDefaultMs)) * 1_000_000n;
  return { nowNs, hardDeleteAtNs: hardDelete === "default" ? defaultNs : hardDelete.atNs };
}
