import type { Settings } from "../options.ts";

/** What a write has done so far. */
export interface Progress {
  readonly rowCount: number;
  readonly byteCount: number;
  readonly elapsedMs: number;
}

const BAR_WIDTH = 20;
const MEGABYTE = 2 ** 20;
/** What a shell takes as it stands. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** One line about a write that goes on: `doneBytes` of `sizeBytes` of the input, where that is known. */
export function statusText(
  progress: Progress,
  doneBytes: number,
  sizeBytes: number | undefined,
): string {
  const rows = `${countText(progress.rowCount)} rows, ${rateText(progress)}`;
  if (sizeBytes === undefined || sizeBytes === 0) return `${sizeText(doneBytes)} MB, ${rows}`;
  const share = Math.min(doneBytes / sizeBytes, 1);
  const bar = "#".repeat(Math.floor(share * BAR_WIDTH)).padEnd(BAR_WIDTH, "-");
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `[${bar}] ${percent}% ${sizeText(doneBytes)} of ${sizeText(sizeBytes)} MB, ${rows}`;
}

/** What was written, and how fast. */
export function totalText(progress: Progress): string {
  const { rowCount, byteCount, elapsedMs } = progress;
  const seconds = (elapsedMs / 1000).toFixed(1);
  return `${countText(rowCount)} rows, ${sizeText(byteCount)} MB in ${seconds} s: ${rateText(progress)}`;
}

/** The command that goes on at `line`, as a shell takes it. A token stands in it as the variable that holds one. */
export function resumeCommand(programName: string, settings: Settings, line: number): string {
  const flags = settings
    .flags()
    .filter(({ name }) => name !== "from-line")
    .flatMap(({ name, words }) =>
      name === "token" ? ["--token", `"$INFLUXDB3_AUTH_TOKEN"`] : words.map(shellWord),
    );
  return [programName, "write", ...flags, "--from-line", String(line)].join(" ");
}

export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

function sizeText(sizeBytes: number): string {
  return (sizeBytes / MEGABYTE).toFixed(1);
}

function rateText({ rowCount, elapsedMs }: Progress): string {
  return `${countText(Math.round((1000 * rowCount) / Math.max(elapsedMs, 1)))} rows/s`;
}

function shellWord(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
