import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, beforeEach, suite, test } from "node:test";
import { type Run, type RunOptions, run } from "../testing/run.ts";

/** Fifty lines of ten bytes, of which a batch holds ten. */
const LINES = Array.from({ length: 50 }, (_, index) => `m v=${String(index).padStart(5, "0")}\n`);
const ALL = LINES.join("");
const BATCH = ["--batch-size", "100"];

type Respond = (body: string, response: ServerResponse, index: number) => void;

const take: Respond = (_body, response) => void response.writeHead(204).end();

function partial(lineNumbers: readonly number[]): string {
  return JSON.stringify({
    error: "partial write of line protocol occurred",
    data: lineNumbers.map((number) => ({
      original_line: `line ${number}`,
      line_number: number,
      error_message: "bad",
    })),
  });
}

suite("a write of a large input", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidelake-write-"));
  const file = join(folder, "big file.lp");
  const bodies: string[] = [];
  let respond = take;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      bodies.push(body);
      respond(body, response, bodies.length - 1);
    });
  });
  let host = "";
  before(async () => {
    writeFileSync(file, ALL);
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    bodies.length = 0;
    respond = take;
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  async function write(words: readonly string[], options?: RunOptions): Promise<Run> {
    return run(["write", "-d", "d", "--host", host, ...words], options);
  }

  test("sends a file in batches, in its order, and tells how fast", async () => {
    const result = await write(["-f", file, ...BATCH]);
    assert.equal(result.exitCode, 0);
    assert.equal(bodies.length, 5);
    assert.equal(bodies.join(""), ALL);
    assert.match(result.out, /^success: 50 rows, 0\.0 MB in \d+\.\d s: [\d,]+ rows\/s\n$/);
    assert.equal(result.error, "");
  });

  test("sends what is piped in the same way, and prints nothing when asked", async () => {
    const result = await write(["-q", ...BATCH], { input: ALL });
    assert.deepEqual(result, { exitCode: 0, out: "", error: "" });
    assert.equal(bodies.length, 5);
    assert.equal(bodies.join(""), ALL);
  });

  test("what fits into one batch is one request and one word, an argument always", async () => {
    assert.equal((await write(["-f", file])).out, "success\n");
    assert.equal((await write(["-f", file, "--batch-size", "500"])).out, "success\n");
    assert.equal((await write([...BATCH, "--", ALL])).out, "success\n");
    assert.deepEqual(bodies, [ALL, ALL, ALL]);
  });

  test("sends as many requests at a time as asked", async () => {
    const waiting: (() => void)[] = [];
    respond = (body, response, index) => {
      waiting.push(() => take(body, response, index));
      if (waiting.length === 3 || bodies.length === 5) for (const go of waiting.splice(0)) go();
    };
    const result = await write(["-f", file, ...BATCH, "--concurrency", "3"]);
    assert.equal(result.exitCode, 0, result.error);
    assert.equal(bodies.toSorted().join(""), ALL);
  });

  for (const status of [429, 503]) {
    test(`waits after ${status} as long as it is told, and tries again`, async () => {
      const timesMs: number[] = [];
      respond = (body, response, index) => {
        timesMs.push(performance.now());
        if (index === 1) response.writeHead(status, { "retry-after": "1" }).end("busy");
        else take(body, response, index);
      };
      const result = await write(["-f", file, ...BATCH]);
      assert.equal(result.exitCode, 0, result.error);
      assert.equal(bodies.length, 6);
      assert.equal(bodies[1], bodies[2]);
      assert.ok((timesMs[2] ?? 0) - (timesMs[1] ?? 0) >= 990);
      assert.match(result.out, /^success: 50 rows/);
    });
  }

  test("lines that are not taken are named as in the file, and the others go on", async () => {
    respond = (body, response, index) => {
      if (index === 1) response.writeHead(400).end(partial([3, 10]));
      else if (index === 4) response.writeHead(422).end(partial([1]));
      else take(body, response, index);
    };
    const result = await write(["-f", file, ...BATCH]);
    assert.equal(bodies.length, 5);
    assert.deepEqual(result, {
      exitCode: 1,
      out: "",
      error: `Write command failed: partial write: 3 lines were not taken, 47 rows are stored
  line 13: bad ("line 3")
  line 20: bad ("line 10")
  line 41: bad ("line 1")
`,
    });
  });

  test("of many such lines the first hundred are named", async () => {
    const many = Array.from({ length: 100 }, (_, index) => index + 1);
    respond = (_body, response) => void response.writeHead(400).end(partial(many));
    const lines = "m v=1\n".repeat(200);
    const result = await write(["--batch-size", "600"], { input: lines });
    const [first, ...rest] = result.error.trimEnd().split("\n");
    assert.match(first ?? "", /200 lines or more were not taken, at most 0 rows are stored$/);
    assert.equal(rest.length, 101);
    assert.equal(rest[99], '  line 100: bad ("line 100")');
    assert.equal(rest[100], "  and 100 or more others");
  });

  test("a refusal ends it, with the command that goes on, which does", async () => {
    respond = (body, response, index) => {
      if (index === 2) response.writeHead(401).end();
      else take(body, response, index);
    };
    const words = ["-f", file, "-p", "ns", "--token", "secret", ...BATCH];
    const result = await write(words);
    assert.equal(result.exitCode, 1);
    assert.match(
      result.out + result.error,
      /^Write command failed: server resp.* \[401 Unauth.*\]; bring a token with --token/m,
    );
    assert.match(
      result.error,
      /^ {2}stored: lines 1 to 20, which end at byte 200; 20 rows, .*\/s$/m,
    );
    assert.doesNotMatch(result.error, /may be stored|secret/);
    const command = `  go on with: influxdb3 write --host ${host} --token "$INFLUXDB3_AUTH_TOKEN" --database d --file '${file}' --precision ns --batch-size 100 --from-line 21`;
    assert.ok(result.error.trimEnd().endsWith(command), result.error);
    respond = take;
    const stored = bodies.slice(0, 2);
    bodies.length = 0;
    const again = await write([...words, "--from-line", "21"]);
    assert.match(again.out, /^success: 30 rows/);
    assert.equal([...stored, ...bodies].join(""), ALL);
  });

  test("a node that takes only smaller requests is told as such", async () => {
    respond = (_body, response) => void response.writeHead(413).end("too large");
    const result = await write(["-f", file, ...BATCH]);
    assert.match(
      result.error,
      /\[413 .*\]: too large\n {2}a smaller --batch-size sends less at once\n/,
    );
  });

  test("after a lost answer it says that more may be stored", async () => {
    respond = (body, response, index) => {
      if (index === 0) take(body, response, index);
      else response.destroy();
    };
    const result = await write([...BATCH, "--from-line", "3"], { input: ALL });
    assert.equal(result.exitCode, 1);
    assert.match(
      result.error,
      /closed the connection before it answered\n {2}stored: lines 3 to 12,/,
    );
    assert.match(
      result.error,
      /\n {2}some of the next lines may be stored, too: those with a time can/,
    );
    assert.doesNotMatch(result.error, /--from-line 3\b/);
    assert.match(
      result.error,
      /\n {2}go on, with the same input, with: influxdb3 write .* --from-line 13\n$/,
    );
  });

  test("lines that the rest begins with are named as in the file", async () => {
    respond = (_body, response) => void response.writeHead(400).end(partial([2]));
    const result = await write(["-f", file, "--from-line", "41"]);
    assert.equal(bodies.join(""), LINES.slice(40).join(""));
    assert.match(
      result.error,
      /partial write: 1 line was not taken, 9 rows are stored\n {2}line 42: bad/,
    );
  });

  test("to go on behind the last line is a success, further is not", async () => {
    assert.match((await write(["-f", file, "--from-line", "51"])).out, /^success: 0 rows/);
    const result = await write(["-f", file, "--from-line", "52"]);
    assert.equal(
      result.error,
      "Write command failed: there is no line 52 to begin with: the input ends in line 51\n",
    );
    assert.deepEqual(bodies, []);
  });

  test("a batch of nothing but comments is not sent", async () => {
    const input = `${"# comment\n".repeat(20)}${ALL}${"\n".repeat(150)}`;
    const result = await write(BATCH, { input });
    assert.equal(result.exitCode, 0, result.error);
    assert.equal(bodies.join("").trim(), ALL.trim());
  });

  test("Ctrl-C lets what is on its way end, and says where to go on", async () => {
    const aborter = new AbortController();
    respond = (body, response, index) => {
      if (index === 1) aborter.abort();
      take(body, response, index);
    };
    const result = await write(["-f", file, ...BATCH], { interrupt: aborter.signal });
    assert.equal(result.exitCode, 130);
    assert.equal(result.out, "");
    assert.equal(bodies.length, 2);
    assert.match(
      result.error,
      /^Write interrupted\n {2}stored: lines 1 to 20, .*\n {2}go on with: .* 21\n$/,
    );
  });

  test("Ctrl-C ends a wait for more input, and one for the server", async () => {
    const silent = new PassThrough();
    silent.write(ALL);
    const aborter = new AbortController();
    respond = (body, response, index) => {
      take(body, response, index);
      if (index === 3) setTimeout(() => aborter.abort(), 50);
    };
    const stuck = await write(BATCH, { input: silent, interrupt: aborter.signal });
    assert.match(stuck.error, /^Write interrupted\n {2}stored: lines 1 to 40/);
    const other = new AbortController();
    respond = (_body, response) => {
      response.writeHead(429, { "retry-after": "30" }).end();
      setTimeout(() => other.abort(), 50);
    };
    const startMs = performance.now();
    const refused = await write(["-f", file, ...BATCH], { interrupt: other.signal });
    assert.match(refused.error, /^Write interrupted\n {2}no line is known to be stored\n/);
    assert.ok(performance.now() - startMs < 5000);
  });

  test("a terminal shows how far it is, and keeps no trace of it", async () => {
    const shown: string[] = [];
    respond = (body, response, index) => void setTimeout(() => take(body, response, index), 120);
    const result = await write(["-f", file, ...BATCH], { showStatus: (text) => shown.push(text) });
    assert.equal(result.exitCode, 0);
    assert.match(
      shown[0] ?? "",
      /^\[[#]{4,8}-+\] {2}[24]0% 0\.0 of 0\.0 MB, [12]0 rows, \d+ rows\/s$/,
    );
    assert.equal(shown.at(-1), "");
    assert.ok(shown.length > 2);
  });

  const usage: readonly [readonly string[], RegExp][] = [
    [["--batch-size", "2gb"], /^error: invalid value '2gb' for '--batch-size <SIZE>': at most 1gb/],
    [["--concurrency", "65"], /^error: .*'--concurrency <COUNT>': at most 64 is possible/],
    [["--concurrency", "0"], /^error: .*'--concurrency <COUNT>': give a whole number/],
    [["--from-line", "0"], /^error: .*'--from-line <NUMBER>': give a whole number/],
  ];
  for (const [words, message] of usage) {
    test(`${words.join(" ")} is refused`, async () => {
      const result = await write(words, { input: ALL });
      assert.equal(result.exitCode, 2);
      assert.match(result.error, message);
    });
  }
});
