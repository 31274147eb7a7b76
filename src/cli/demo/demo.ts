import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DbError, describeError } from "#base/errors.ts";
import { DemoNode, freePort } from "./demo-node.ts";
import { ask, countRows, DATABASE, seeCpu, write } from "./exchange.ts";
import { MachineMeter } from "./machine.ts";

export interface DemoOptions {
  /** The launcher to start nodes with. */
  readonly program: string;
  /** Where the cluster keeps its data; undefined: a folder that is removed at the end. */
  readonly directory: string | undefined;
  /** End after the first comparison. */
  readonly once: boolean;
  /** Aborted to stop the demo. */
  readonly stop: AbortSignal;
  readonly print: (line: string) => void;
}

const SAMPLE_MS = 1000;
const SAMPLES_PER_STATUS = 30;
const PREFERRED_PORTS = [8181, 8282] as const;
const FIGURES = ["usage_user", "usage_system", "usage_idle"] as const;
const TABLE = `SELECT time, core, ${FIGURES.join(", ")} FROM cpu WHERE core = 'cpu-total' ORDER BY time DESC LIMIT 3`;

/**
 * Runs a cluster of two nodes on one folder until `stop`, fed with this machine's own figures.
 * Rejects with `unavailable` / `demo_node_ended`, `demo_node_not_ready` or `demo_row_missing`, or with
 * `internal` / `demo_rows_differ`.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { print, stop } = options;
  await using stack = new AsyncDisposableStack();
  const directory = await openFolder(options, stack);

  const failed = new AbortController();
  const signal = AbortSignal.any([stop, failed.signal]);
  const first = await startNode(options, directory, 0);
  stack.use(first);
  const second = await startNode(options, directory, 1);
  stack.use(second);
  // A node that ends by itself ends the demo; when the demo ends its nodes, nobody listens any more.
  for (const node of [first, second]) {
    void node.ended.then((how) => failed.abort(endedError(node, how)));
  }
  try {
    await Promise.all([first.ready(signal), second.ready(signal)]);
    await feed([first, second], options, signal);
  } catch (error) {
    if (stop.aborted) return print("Stopping both nodes");
    throw failed.signal.aborted ? failed.signal.reason : error;
  }
}

async function openFolder(options: DemoOptions, stack: AsyncDisposableStack): Promise<string> {
  if (options.directory !== undefined) {
    const directory = resolve(options.directory);
    await mkdir(directory, { recursive: true });
    options.print(`Starting a cluster of two nodes on the folder ${directory}`);
    return directory;
  }
  const directory = await mkdtemp(join(tmpdir(), "tidelake-demo-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  options.print(
    `Starting a cluster of two nodes on the folder ${directory}, which is removed at the end
('npm start -- --data-dir FOLDER' keeps one)`,
  );
  return directory;
}

async function startNode(options: DemoOptions, directory: string, index: 0 | 1): Promise<DemoNode> {
  return new DemoNode({
    program: options.program,
    nodeId: index === 0 ? "host01" : "host02",
    // One node of a cluster compacts.
    mode: index === 0 ? "ingest,query,compact" : "ingest,query",
    port: await freePort(PREFERRED_PORTS[index]),
    directory,
  });
}

async function feed(
  nodes: readonly [DemoNode, DemoNode],
  options: DemoOptions,
  signal: AbortSignal,
): Promise<void> {
  const [first, second] = nodes;
  const { print } = options;
  for (const { nodeId, server } of nodes) print(`  ${nodeId} answers at ${server.url}`);

  const meter = new MachineMeter();
  meter.sample(Date.now());
  for (const [source, target] of [
    [first, second],
    [second, first],
  ] as const) {
    await sleep(SAMPLE_MS, undefined, { signal });
    await passOn(source, target, { meter, print, signal });
  }
  if (options.once) return;

  printCommands(nodes, print);
  for (let count = 1; ; count += 1) {
    await sleep(SAMPLE_MS, undefined, { signal });
    const node = count % 2 === 1 ? first : second;
    try {
      await write(node, meter.sample(Date.now()));
    } catch (error) {
      print(`${clockText()}  ${node.nodeId} did not take a write: ${describeError(error)}`);
    }
    if (count % SAMPLES_PER_STATUS === 0) print(await statusText(nodes));
  }
}

interface PassOnOptions {
  readonly meter: MachineMeter;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Writes this moment's figures to `source` and shows what `target` answers. */
async function passOn(
  source: DemoNode,
  target: DemoNode,
  { meter, print, signal }: PassOnOptions,
): Promise<void> {
  const timeMs = Date.now();
  const lines = meter.sample(timeMs);
  const line = lines.find((text) => text.startsWith("cpu,") && text.includes("core=cpu-total"));
  await write(source, lines);
  const startMs = performance.now();
  print(
    `\nWritten to ${source.nodeId}, ${lines.length} lines of cpu, mem, disk and net, among them`,
  );
  print(`  ${line ?? ""}`);

  const row = await seeCpu(target, timeMs, signal);
  const delayMs = Math.round(performance.now() - startMs);
  print(`${target.nodeId} answers, ${delayMs} ms later:`);
  print((await ask(target, TABLE, "pretty")).trimEnd());
  for (const name of FIGURES) {
    const written = new RegExp(`[ ,]${name}=([0-9.]+)`).exec(line ?? "")?.[1];
    if (row[name] !== Number(written)) {
      throw new DbError(
        "internal",
        "demo_rows_differ",
        `${source.nodeId} was given ${name}=${written ?? "nothing"}, ${target.nodeId} answers ${String(row[name])}`,
      );
    }
  }
}

function printCommands(
  [first, second]: readonly [DemoNode, DemoNode],
  print: (line: string) => void,
): void {
  const one = `--host ${first.server.url} --database`;
  const two = `--host ${second.server.url} --database`;
  print(`
Both nodes run, and get this machine's figures every second, in turn. Try in another terminal:

  bin/influxdb3 query ${two} ${DATABASE} "SELECT core, avg(usage_user) FROM cpu WHERE time > now() - INTERVAL '1 minute' GROUP BY core ORDER BY core"
  bin/influxdb3 write ${one} sensors 'home,room=Kitchen temp=21.5,hum=35i'
  bin/influxdb3 query ${two} sensors "SELECT * FROM home"
  bin/influxdb3 show databases --host ${second.server.url}

Ctrl-C stops them.
`);
}

async function statusText(nodes: readonly [DemoNode, DemoNode]): Promise<string> {
  const counts = await Promise.all(
    nodes.map(async (node) => `${node.nodeId} ${(await countRows(node)) ?? "gives no answer"}`),
  );
  return `${clockText()}  rows of cpu: ${counts.join(", ")}`;
}

function endedError(node: DemoNode, how: string): DbError {
  const lines = node.lastLines.map((line) => `\n  ${node.nodeId}: ${line}`).join("");
  return new DbError(
    "unavailable",
    "demo_node_ended",
    `${node.nodeId} ended by itself (${how}); its last lines:${lines === "" ? " none" : lines}`,
  );
}

function clockText(): string {
  return new Date().toTimeString().slice(0, 8);
}
