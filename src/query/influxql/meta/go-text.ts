/** How the programs of InfluxDB 1 write spans of time. */
import { HOUR_NS, MINUTE_NS, SECOND_NS } from "#model/time-units.ts";

const SMALLER = [
  { unit: "ms", ns: 1_000_000 },
  { unit: "µs", ns: 1_000 },
] as const;

/** `168h0m0s`, `1m0.5s`, `20ms`, `0s`; not below 0. */
export function goDuration(ns: bigint): string {
  if (ns === 0n) return "0s";
  if (ns < SECOND_NS) {
    const { ns: size, unit } = SMALLER.find((each) => ns >= BigInt(each.ns)) ?? {
      unit: "ns",
      ns: 1,
    };
    return `${Number(ns) / size}${unit}`;
  }
  const seconds = `${secondsText(ns % MINUTE_NS)}s`;
  if (ns < MINUTE_NS) return seconds;
  const minutes = `${(ns % HOUR_NS) / MINUTE_NS}m${seconds}`;
  return ns < HOUR_NS ? minutes : `${ns / HOUR_NS}h${minutes}`;
}

function secondsText(ns: bigint): string {
  const fraction = String(ns % SECOND_NS)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return fraction === "" ? String(ns / SECOND_NS) : `${ns / SECOND_NS}.${fraction}`;
}
