import { readdirSync, readFileSync, statfsSync } from "node:fs";
import { cpus, freemem, hostname, networkInterfaces, totalmem } from "node:os";

/** Jiffies or milliseconds a core has spent, all told and by kind. */
interface CoreTimes {
  readonly user: number;
  readonly system: number;
  readonly idle: number;
  readonly total: number;
}

const SECTOR_SIZE_BYTES = 512;
const HOST = `host=${escapeTag(hostname())}`;

/**
 * This machine's figures as line protocol: tables cpu, mem, disk and net.
 * CPU shares are of the time since the sample before, so the first sample holds none.
 */
export class MachineMeter {
  #coresBefore: readonly CoreTimes[] = [];

  /** The lines of one moment, all with the timestamp `timeMs`, milliseconds since the Unix epoch. */
  sample(timeMs: number): readonly string[] {
    const cores = cpus().map(({ times }) => coreTimes(times));
    const lines = [...cpuLines(this.#coresBefore, cores), memLine(), diskLine(), ...netLines()];
    this.#coresBefore = cores;
    return lines.map((line) => `${line} ${timeMs}000000`);
  }
}

function coreTimes({ user, nice, sys, idle, irq }: Record<string, number>): CoreTimes {
  const busy = (user ?? 0) + (nice ?? 0);
  const system = (sys ?? 0) + (irq ?? 0);
  return { user: busy, system, idle: idle ?? 0, total: busy + system + (idle ?? 0) };
}

function cpuLines(before: readonly CoreTimes[], now: readonly CoreTimes[]): readonly string[] {
  // Cores come and go on virtual machines; a sample that cannot be compared is left out.
  if (before.length !== now.length) return [];
  const all = cpuLine("cpu-total", sumTimes(before), sumTimes(now));
  const each = now.map((times, index) => cpuLine(`cpu${index}`, before[index] ?? times, times));
  return [all, ...each].filter((line) => line !== undefined);
}

function cpuLine(core: string, before: CoreTimes, now: CoreTimes): string | undefined {
  const total = now.total - before.total;
  if (total <= 0) return undefined;
  const share = (kind: "user" | "system" | "idle") => percent(now[kind] - before[kind], total);
  return `cpu,${HOST},core=${core} usage_user=${share("user")},usage_system=${share("system")},usage_idle=${share("idle")}`;
}

function sumTimes(cores: readonly CoreTimes[]): CoreTimes {
  const sum = { user: 0, system: 0, idle: 0, total: 0 };
  for (const core of cores) {
    sum.user += core.user;
    sum.system += core.system;
    sum.idle += core.idle;
    sum.total += core.total;
  }
  return sum;
}

function memLine(): string {
  const available = readMemAvailable() ?? freemem();
  const used = totalmem() - available;
  return `mem,${HOST} total=${totalmem()}i,available=${available}i,used_percent=${percent(used, totalmem())}`;
}

/** What Linux says programs can still take; free memory alone leaves out what its caches would give back. */
function readMemAvailable(): number | undefined {
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(readProc("/proc/meminfo"));
  return match === null ? undefined : Number(match[1]) * 1024;
}

function diskLine(): string {
  const { blocks, bavail, bsize } = statfsSync("/");
  const total = blocks * bsize;
  const free = bavail * bsize;
  const fields = [
    `total=${total}i`,
    `free=${free}i`,
    `used_percent=${percent(total - free, total)}`,
  ];
  const traffic = diskTraffic();
  if (traffic !== undefined) {
    fields.push(`read_bytes=${traffic.readBytes}i`, `written_bytes=${traffic.writtenBytes}i`);
  }
  return `disk,${HOST},path=/ ${fields.join(",")}`;
}

/** Bytes all disks have moved since the machine started; undefined where the system does not say. */
function diskTraffic(): { readBytes: number; writtenBytes: number } | undefined {
  const disks = new Set(listBlockDevices().filter((name) => !/^(loop|ram|zram|dm-)/.test(name)));
  let readSectors = 0;
  let writtenSectors = 0;
  for (const line of readProc("/proc/diskstats").split("\n")) {
    const words = line.trim().split(/\s+/);
    if (!disks.has(words[2] ?? "")) continue;
    readSectors += Number(words[5] ?? 0);
    writtenSectors += Number(words[9] ?? 0);
  }
  if (disks.size === 0) return undefined;
  return {
    readBytes: readSectors * SECTOR_SIZE_BYTES,
    writtenBytes: writtenSectors * SECTOR_SIZE_BYTES,
  };
}

function listBlockDevices(): readonly string[] {
  try {
    return readdirSync("/sys/block");
  } catch {
    return [];
  }
}

function netLines(): readonly string[] {
  const counted = readProc("/proc/net/dev")
    .split("\n")
    .flatMap((line) => {
      const match = /^\s*([^:\s]+):\s*(.+)$/.exec(line);
      if (match === null) return [];
      const counters = (match[2] ?? "").trim().split(/\s+/);
      const series = `net,${HOST},interface=${escapeTag(match[1] ?? "")}`;
      return [`${series} received_bytes=${counters[0] ?? 0}i,sent_bytes=${counters[8] ?? 0}i`];
    });
  if (counted.length > 0) return counted;
  // Elsewhere than on Linux the system gives no counters without a program's help.
  return Object.entries(networkInterfaces()).map(
    ([name, addresses]) =>
      `net,${HOST},interface=${escapeTag(name)} addresses=${addresses?.length ?? 0}i`,
  );
}

function readProc(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "0" : String(Math.round((part / whole) * 10_000) / 100);
}

function escapeTag(text: string): string {
  return text === "" ? "unknown" : text.replaceAll(/[ ,=\\]/g, "\\$&");
}
