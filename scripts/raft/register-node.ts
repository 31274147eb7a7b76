/**
 * One member of a group that keeps registers, as a process of its own: what tests and benchmarks of the raft parts kill and start again.
 *
 *     node scripts/raft/register-node.ts --id 1 --folder DIR --peers 1=127.0.0.1:7001,2=…,3=… --port 8001
 *
 * Takes lines of JSON on `--port`: `{id, ask: {kind: "write" | "swap" | "read" | "status", …}}`, and answers `{id, answer}` or `{id, error, leader}`.
 */
import { createServer, type Socket } from "node:net";
import { parseArgs } from "node:util";
import { DbError, describeError } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import { realFiles } from "#node/real/file-system.ts";
import { realClock, realRandom } from "#node/real/machine.ts";
import type { Log } from "#ports/log.ts";
import { peerId } from "#raft/message.ts";
import { RaftMember } from "#raftnode/member/member.ts";
import { TcpTransport } from "#raftnode/transport/tcp-transport.ts";
import { encodeCommand, RegisterMachine } from "#testing/raft/register-machine.ts";
import { readLines, writeLine } from "./lines.ts";

const { values } = parseArgs({
  options: {
    id: { type: "string", default: "1" },
    folder: { type: "string", default: "" },
    peers: { type: "string", default: "" },
    port: { type: "string", default: "0" },
    secret: { type: "string" },
    "snapshot-entries": { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

const request = v.object({
  id: v.number(),
  ask: v.variant("kind", [
    v.object({ kind: v.literal("write"), key: v.string(), value: v.string() }),
    v.object({
      kind: v.literal("swap"),
      key: v.string(),
      expected: v.string(),
      value: v.string(),
    }),
    v.object({ kind: v.literal("read"), key: v.string() }),
    v.object({ kind: v.literal("status") }),
  ]),
});
type Ask = v.InferOutput<typeof request>["ask"];

const id = peerId(Number(values.id));
const peers = new Map(
  values.peers.split(",").map((peer) => {
    const [number = "", address = ""] = peer.split("=");
    return [peerId(Number(number)), address] as const;
  }),
);
const log = stderrLog(values.verbose);
const [host = "", port = ""] = (peers.get(id) ?? "").split(":");
const transport = new TcpTransport({
  self: id,
  group: "registers",
  secret: values.secret,
  tls: undefined,
  host,
  port: Number(port),
  clock: realClock,
  random: realRandom,
  log,
});
for (const [peer, address] of peers) if (peer !== id) transport.setPeer(peer, address);
const machine = new RegisterMachine();
const snapshotEntries = values["snapshot-entries"];
const member = await RaftMember.open({
  id,
  folder: values.folder,
  machine,
  files: realFiles,
  transport,
  clock: realClock,
  random: realRandom,
  log,
  founders: [...peers.keys()],
  ...(snapshotEntries !== undefined && {
    snapshotEntryCount: Number(snapshotEntries),
    keptEntryCount: Number(snapshotEntries) >> 2,
    segmentSize: 2 ** 20,
  }),
  failed: (error) => {
    log.error("The member has failed.", { error: describeError(error) });
    process.exit(1);
  },
});
createServer((socket) => serve(socket)).listen(Number(values.port), "127.0.0.1", () => {
  process.stdout.write("ready\n");
});

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  readLines(socket, (line) => {
    const { ask, id: number } = v.parse(request, line);
    void answer(ask).then(
      (value) => writeLine(socket, { id: number, answer: value }),
      (error: unknown) =>
        writeLine(socket, {
          id: number,
          error: error instanceof DbError ? error.code : describeError(error),
          leader: member.leader,
        }),
    );
  });
}

async function answer(ask: Ask): Promise<unknown> {
  switch (ask.kind) {
    case "read":
      await member.read();
      return machine.read(ask.key);
    case "status": {
      const { applied, commit, role, term } = member.status;
      return { applied, commit, role, term, leader: member.leader, syncCount: member.syncCount };
    }
    case "write":
    case "swap":
      return member.propose(encodeCommand(ask));
  }
}

function stderrLog(verbose: boolean): Log {
  const write =
    (level: string): Log["info"] =>
    (text, fields) => {
      if (verbose || level === "error")
        process.stderr.write(`${values.id} ${level} ${text} ${JSON.stringify(fields ?? {})}\n`);
    };
  return {
    debug: () => undefined,
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
}
