import { sendForText, serverOf } from "../client/connection.ts";
import { chunksOf, inputMissing, openInput } from "../client/input.ts";
import { DATABASE_OPTION, SERVER_OPTIONS } from "../client/options.ts";
import type { CommandInput, CommandSpec } from "../command.ts";
import { parseCount } from "../values/count.ts";
import { parseSize } from "../values/size.ts";
import { usageError } from "../values/usage.ts";
import { type Batch, cutBatches } from "./batches.ts";
import { LargeWrite } from "./large-write.ts";
import { type PostTarget, WRITE_PATH, WRITE_TYPE } from "./post.ts";

const PRECISIONS = { ns: "nanosecond", us: "microsecond", ms: "millisecond", s: "second" } as const;
const PRECISION_NAMES = ["ns", "us", "ms", "s"] as const;
const CONCURRENCY_MAX = 64;
const BATCH_SIZE_MAX = 2 ** 30;

export const WRITE: CommandSpec = {
  path: "write",
  alias: "w",
  about: "Write lines to a database",
  notes: `\
A large file, or what is piped in, is sent in batches of whole lines. When that
ends early, the command says how far it got and how to go on from there; no
connection that broke is tried again, a node that says 429 or 503 is. Lines that
the node does not take are named by their numbers in the file; the others are
stored. Ctrl-C waits for what is on its way.

Of two lines of one series and time the later one wins. With a --concurrency of
more than 1 that holds only within a batch.`,
  operands: "[LINE_PROTOCOL...]",
  options: [
    ...SERVER_OPTIONS,
    DATABASE_OPTION,
    { name: "file", short: "f", value: "FILE", about: "Read the lines from this file" },
    {
      name: "precision",
      short: "p",
      value: "PRECISION",
      about: "Unit of the timestamps: ns, us, ms or s [default: by their magnitude]",
    },
    { name: "accept-partial", about: "Store good lines although others are bad" },
    { name: "no-sync", about: "Do not wait until the lines are durable" },
    { name: "quiet", short: "q", about: "Print nothing when it went well" },
    {
      name: "batch-size",
      value: "SIZE",
      about:
        "Most bytes of lines in one request, like 512kb or 8mb; what is smaller is one request",
      // Measured on two cores with lines of 80 bytes: 1 MB 20-25 MB/s, 4 MB 26-30 MB/s, 8 MB 16-30 MB/s.
      default: "4mb",
    },
    {
      name: "concurrency",
      value: "COUNT",
      about: "Requests at a time; with more than 1 the order of the input is not kept",
      // Against a node with a store on disk more gain nothing (26-30 MB/s with 1, 2 and 4), so order comes first.
      default: "1",
    },
    {
      name: "from-line",
      value: "NUMBER",
      about: "Begin with this line of the input; those before it are passed over",
      default: "1",
    },
  ],
  run: write,
};

interface WriteOptions {
  readonly target: PostTarget;
  readonly sizeMax: number;
  readonly concurrency: number;
  readonly firstLine: number;
}

async function write(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const options = await writeOptions(input);
  const opened = await openInput(input, {
    several:
      "ensure that a single protocol line string is provided as the final argument, enclosed in quotes",
    empty: "no line protocol string provided",
    missing: "No input from stdin detected, no string was passed in, and no file path was given",
  });
  const { firstLine } = options;
  // An argument is small, and no command could go on in the middle of it.
  const sizeMax = Math.max(
    options.sizeMax,
    opened.source === "operand" ? (opened.sizeBytes ?? 0) : 0,
  );
  const batches = cutBatches(chunksOf(opened), { sizeMax, firstLine });
  const { value: first } = await batches.next();
  if (first === undefined && firstLine === 1) throw inputMissing(opened.emptyText);
  if (first?.final === true && firstLine === 1) {
    await writeOnce(options.target, first);
    if (!settings.isOn("quiet")) terminal.out("success");
    return 0;
  }
  const { target, concurrency } = options;
  const large = new LargeWrite(input, { target, concurrency, opened, firstLine });
  return large.run(chain(first, batches));
}

async function writeOptions(input: CommandInput): Promise<WriteOptions> {
  const { settings } = input;
  const database = settings.require("database");
  const precision =
    settings.find("precision") === undefined
      ? undefined
      : PRECISIONS[settings.choose("precision", PRECISION_NAMES)];
  const parameters = {
    db: database,
    precision,
    accept_partial: settings.isOn("accept-partial") ? "true" : undefined,
    no_sync: settings.isOn("no-sync") ? "true" : undefined,
  };
  const sizeMax = settings.parse("batch-size", (text) =>
    atMost(parseSize(text, { bareUnit: "b" }), BATCH_SIZE_MAX, "1gb"),
  );
  const concurrency = settings.parse("concurrency", (text) =>
    atMost(parseCount(text), CONCURRENCY_MAX, String(CONCURRENCY_MAX)),
  );
  const firstLine = settings.parse("from-line", parseCount);
  const target = { server: await serverOf(input), parameters };
  return { target, sizeMax, concurrency, firstLine };
}

function atMost(value: number, valueMax: number, text: string): number {
  if (value > valueMax) throw usageError(`at most ${text} is possible`);
  return value;
}

async function writeOnce({ server, parameters }: PostTarget, { bytes }: Batch): Promise<void> {
  await sendForText(server, {
    method: "POST",
    path: WRITE_PATH,
    parameters,
    contentType: WRITE_TYPE,
    body: bytes,
  });
}

async function* chain(
  first: Batch | undefined,
  others: AsyncIterable<Batch>,
): AsyncGenerator<Batch> {
  if (first !== undefined) yield first;
  yield* others;
}
