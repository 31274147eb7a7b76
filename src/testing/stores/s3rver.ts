/** A server that speaks S3 and ignores conditions: what a cluster must not run on. */
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Server } from "./s3-server.ts";
import { answersAt, freePort, ServerProcess } from "./server-process.ts";

const UP_MS_MAX = 30_000;
const PROGRAM = createRequire(import.meta.url).resolve("s3rver/bin/s3rver.js");

export async function startS3rver(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), "tidelake-s3rver-"));
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const { port } = new URL(endpoint);
  const words = ["-a", "127.0.0.1", "-p", port, "-d", join(directory, "data"), "--silent"];
  const log = join(directory, "out");
  const server = new ServerProcess(process.execPath, [PROGRAM, ...words], log);
  const stop = async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await server.untilUp(() => answersAt(endpoint), UP_MS_MAX);
  } catch (error) {
    await stop();
    throw error;
  }
  const keys = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
  return { endpoint, keys, [Symbol.asyncDispose]: stop };
}
