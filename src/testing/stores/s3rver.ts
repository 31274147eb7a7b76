/** A server that speaks S3 and ignores conditions: what a cluster must not run on. */
import { createRequire } from "node:module";
import { join } from "node:path";
import type { S3Server } from "./s3-server.ts";
import { startServer } from "./server-process.ts";

const UP_MS_MAX = 30_000;
const PROGRAM = createRequire(import.meta.url).resolve("s3rver/bin/s3rver.js");

export async function startS3rver(): Promise<S3Server> {
  const server = await startServer("s3rver", UP_MS_MAX, (port, directory) => [
    PROGRAM,
    "-a",
    "127.0.0.1",
    "-p",
    String(port),
    "-d",
    join(directory, "data"),
    "--silent",
  ]);
  const keys = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
  return { endpoint: server.url, keys, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
