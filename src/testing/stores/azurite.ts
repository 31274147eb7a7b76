/** Azurite, the emulator of Azure Blob Storage, in memory. */
import { createRequire } from "node:module";
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import type { AzureConfig } from "#objectstore/cloud/config.ts";
import { startServer } from "./server-process.ts";

/** The account that every Azurite has. */
const ACCOUNT = "devstoreaccount1";
const KEY =
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const UP_MS_MAX = 60_000;
const PROGRAM = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");

export interface Azurite extends AsyncDisposable {
  readonly endpoint: string;
  /** Makes an empty container of a name that nobody used; the configuration of a store in it. */
  makeContainer(): Promise<AzureConfig>;
}

export async function startAzurite(): Promise<Azurite> {
  const server = await startServer("azurite", UP_MS_MAX, (port) => [
    PROGRAM,
    "--blobHost",
    "127.0.0.1",
    "--blobPort",
    String(port),
    "--inMemoryPersistence",
    "--silent",
    "--disableTelemetry",
    "--skipApiVersionCheck",
  ]);
  const endpoint = `${server.url}/${ACCOUNT}`;
  let count = 0;
  return {
    endpoint,
    async makeContainer() {
      count += 1;
      const bucket = `test-${count}`;
      const credential = new StorageSharedKeyCredential(ACCOUNT, KEY);
      await new ContainerClient(`${endpoint}/${bucket}`, credential).create();
      return azureConfig({ bucket, endpoint });
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The configuration of a store in Azurite's account. */
export function azureConfig(some: Partial<AzureConfig>): AzureConfig {
  return {
    kind: "azure",
    bucket: "data",
    account: ACCOUNT,
    accessKey: KEY,
    endpoint: undefined,
    allowHttp: true,
    connectionCountMax: 16,
    requestTimeoutMs: 30_000,
    retryCountMax: 7,
    retryTimeoutMs: 60_000,
    tlsAllowInsecure: false,
    tlsCaPath: undefined,
    ...some,
  };
}
