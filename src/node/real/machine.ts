import { performance } from "node:perf_hooks";
import { setTimeout as sleepFor } from "node:timers/promises";
import pino from "pino";
import type { Clock } from "#ports/clock.ts";
import type { Log, LogFields } from "#ports/log.ts";
import type { Random } from "#ports/random.ts";
import type { NodeConfig } from "../config.ts";
import { formatLogLine } from "./log-format.ts";

const NS_PER_MS = 1_000_000n;
/** The longest that a timer of this machine waits; a longer one would not wait at all. */
const SLEEP_MS_MAX = 2 ** 31 - 1;
/** The wall clock when `performance.now()` was 0, so that stamps within a millisecond differ. */
const START_NS = BigInt(Math.round(performance.timeOrigin * 1_000)) * 1_000n;

/** The machine's clocks. */
export const realClock: Clock = {
  nowNs() {
    const fine = START_NS + BigInt(Math.round(performance.now() * 1_000_000));
    const coarse = BigInt(Date.now()) * NS_PER_MS;
    // The fine clock does not follow when somebody sets the time: then the coarse one is right.
    const apart = fine > coarse ? fine - coarse : coarse - fine;
    return apart < 5n * NS_PER_MS ? fine : coarse;
  },
  monotonicMs: () => performance.now(),
  async sleep(delayMs, signal) {
    try {
      for (let restMs = delayMs; ; restMs -= SLEEP_MS_MAX) {
        await sleepFor(Math.min(restMs, SLEEP_MS_MAX), undefined, { ...(signal && { signal }) });
        if (restMs <= SLEEP_MS_MAX) return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** Chance enough for names, nonces and pauses; secrets are made elsewhere. */
export const realRandom: Random = { next: () => Math.random() };

/** What operators read: one JSON object a line, unless they asked for another format. */
export function pinoLog(config: NodeConfig): Log {
  const { logDestination, logFormat = "json", logLevel, nodeId } = config;
  const destination = pino.destination({ dest: logDestination === "stdout" ? 1 : 2, sync: true });
  const logger = pino(
    { level: logLevel, base: { node: nodeId }, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line: string) => void destination.write(formatLogLine(line, logFormat)) },
  );
  const write =
    (level: "debug" | "info" | "warn" | "error") => (message: string, fields?: LogFields) =>
      logger[level](fields ?? {}, message);
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
}
