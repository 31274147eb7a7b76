/** The emulator of Google Cloud Storage that lies beside the checkout, in memory. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { GoogleConfig } from "#objectstore/cloud/config.ts";
import { startServer } from "./server-process.ts";

const UP_MS_MAX = 30_000;
const PROGRAM = fileURLToPath(new URL("../../../../shared/stores/gcs-emu.mjs", import.meta.url));

export interface GoogleEmulator extends AsyncDisposable {
  /** What a program is told as `STORAGE_EMULATOR_HOST`. */
  readonly url: string;
  /** Makes an empty bucket of a name that nobody used; the configuration of a store in it. */
  makeBucket(): Promise<GoogleConfig>;
}

/** Whether the emulator is there. */
export function hasGoogleEmulator(): boolean {
  return existsSync(PROGRAM);
}

export async function startGoogleEmulator(): Promise<GoogleEmulator> {
  const server = await startServer("google", UP_MS_MAX, (port) => [PROGRAM, String(port)]);
  const { url } = server;
  let count = 0;
  return {
    url,
    async makeBucket() {
      count += 1;
      const bucket = `test-${count}`;
      const body = JSON.stringify({ name: bucket });
      const { status } = await fetch(`${url}/storage/v1/b`, { method: "POST", body });
      if (status !== 200) throw new Error(`the bucket was not made: ${status}`);
      return googleConfig({ bucket });
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The configuration of a store of nobody's. */
export function googleConfig(some: Partial<GoogleConfig>): GoogleConfig {
  return {
    kind: "google",
    bucket: "data",
    serviceAccountPath: undefined,
    connectionCountMax: 16,
    requestTimeoutMs: 30_000,
    retryCountMax: 7,
    retryTimeoutMs: 60_000,
    tlsAllowInsecure: false,
    tlsCaPath: undefined,
    ...some,
  };
}
