/** Stands in for a node in demo.test.ts: keeps the lines it gets in a shared file and answers the last row of cpu. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";

const [host = "", port = ""] = readOption("http-bind").split(":");
const directory = readOption("data-dir");
const file = join(directory, "lines");

if (existsSync(join(directory, "fault"))) {
  process.stderr.write("this is the fault\n");
  process.exit(3);
}

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString();
    if (request.url?.startsWith("/api/v3/write_lp") === true) {
      appendFileSync(file, `${body}\n`);
      response.writeHead(204).end();
    } else if (request.url === "/api/v3/query_sql") answer(response, body);
    else response.end("OK");
  });
}).listen(Number(port), host);

function answer(response: ServerResponse, body: string): void {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  const found = lines.findLast((line) => line.includes("core=cpu-total")) ?? "";
  const [, user, system, idle, time] =
    /usage_user=(\S+),usage_system=(\S+),usage_idle=(\S+) (\d+)$/.exec(found) ?? [];
  const row = {
    time: new Date(Number(time?.slice(0, -6))).toISOString().slice(0, -1),
    usage_user: Number(user),
    usage_system: Number(system),
    usage_idle: Number(idle),
  };
  const { format } = JSON.parse(body) as { format: string };
  response.end(format === "pretty" ? "+ a table +" : JSON.stringify([row]));
}

function readOption(name: string): string {
  return process.argv[process.argv.indexOf(`--${name}`) + 1] ?? "";
}
