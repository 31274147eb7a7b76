import { hostname } from "node:os";
import { formatTimestamp } from "#model/time-text.ts";
import type { Clock } from "#ports/clock.ts";
import { goDuration } from "#query/influxql/meta/go-text.ts";
import type { Figures } from "#query/influxql/meta/server.ts";

/** What SHOW STATS and SHOW DIAGNOSTICS tell of the process, under the names that InfluxDB 1 has for it. */
export function processFigures(
  clock: Clock,
  { coreCount, version }: { readonly coreCount: number; readonly version: string },
): Figures {
  const startNs = clock.nowNs();
  const startMs = clock.monotonicMs();
  return {
    stats() {
      const { heapTotal, heapUsed, rss } = process.memoryUsage();
      const heap = {
        Alloc: BigInt(heapUsed),
        HeapAlloc: BigInt(heapUsed),
        HeapSys: BigInt(heapTotal),
      };
      return [{ name: "runtime", values: { ...heap, Sys: BigInt(rss) } }];
    },
    diagnostics() {
      const { arch, pid, platform } = process;
      const upNs = BigInt(Math.round((clock.monotonicMs() - startMs) * 1_000_000));
      return [
        { name: "build", values: { Branch: "", "Build Time": "", Commit: "", Version: version } },
        { name: "network", values: { hostname: hostname() } },
        {
          name: "runtime",
          values: {
            GOARCH: arch,
            GOMAXPROCS: BigInt(coreCount),
            GOOS: platform,
            version: process.version,
          },
        },
        {
          name: "system",
          values: {
            PID: BigInt(pid),
            currentTime: `${formatTimestamp(clock.nowNs())}Z`,
            started: `${formatTimestamp(startNs)}Z`,
            uptime: goDuration(upNs),
          },
        },
      ];
    },
  };
}
