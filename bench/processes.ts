import { readdirSync, readFileSync } from "node:fs";

/** What one process has used since it started, and what it holds now. */
export interface ProcessUse {
  readonly pid: number;
  /** `node` for the process that was asked about, `child` for those it started, and theirs. */
  readonly role: "node" | "child";
  readonly cpuSec: number;
  readonly residentBytes: number;
}

/** Linux counts in these, whatever the kernel's own clock is. */
const TICKS_PER_SEC = 100;
const KIB = 1024;

/** The processes of a tree that live, the root first; none when `rootPid` has ended. */
export function processesOf(rootPid: number): readonly ProcessUse[] {
  return [rootPid, ...descendants(rootPid)].flatMap((pid) => {
    const use = readProcess(pid, pid === rootPid ? "node" : "child");
    return use === undefined ? [] : [use];
  });
}

/** Bytes in memory of all of them. Pages that several share count for each, so the sum is never too low. */
export function residentBytes(processes: readonly ProcessUse[]): number {
  return processes.reduce((sum, process) => sum + process.residentBytes, 0);
}

export function cpuSeconds(processes: readonly ProcessUse[]): number {
  return processes.reduce((sum, process) => sum + process.cpuSec, 0);
}

/** CPU seconds by `role` and by `role/thread`, all processes of a role together; threads that ended are under `role/ended`. */
export function cpuByThread(processes: readonly ProcessUse[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  const add = (name: string, sec: number) => sums.set(name, (sums.get(name) ?? 0) + sec);
  for (const { cpuSec, pid, role } of processes) {
    add(role, cpuSec);
    let aliveSec = 0;
    for (const task of listed(`/proc/${pid}/task`)) {
      const stat = readText(`/proc/${pid}/task/${task}/stat`);
      if (stat === "") continue;
      const sec = ticksOf(stat) / TICKS_PER_SEC;
      add(`${role}/${stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"))}`, sec);
      aliveSec += sec;
    }
    add(`${role}/ended`, Math.max(0, cpuSec - aliveSec));
  }
  return sums;
}

/** What was used between two looks; what ended meanwhile is missing. */
export function difference(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  return new Map(
    [...after].map(([name, sec]) => [name, Math.max(0, sec - (before.get(name) ?? 0))]),
  );
}

function descendants(pid: number): readonly number[] {
  const found: number[] = [];
  for (const task of listed(`/proc/${pid}/task`)) {
    const text = readText(`/proc/${pid}/task/${task}/children`).trim();
    if (text !== "") found.push(...text.split(" ").map(Number));
  }
  return found.flatMap((child) => [child, ...descendants(child)]);
}

function readProcess(pid: number, role: ProcessUse["role"]): ProcessUse | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`));
  if (stat === "" || resident === null) return undefined;
  const cpuSec = ticksOf(stat) / TICKS_PER_SEC;
  return { pid, role, cpuSec, residentBytes: Number(resident[1]) * KIB };
}

/** User and system time: the 14th and 15th field, where the name, the 2nd, may hold anything. */
function ticksOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function listed(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Empty when there is nothing (any more). */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
