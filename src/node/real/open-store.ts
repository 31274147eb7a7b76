import type { StoreConfig } from "#objectstore/cloud/config.ts";
import type { CloudPorts } from "#objectstore/cloud/requests.ts";
import { throttledStore } from "#objectstore/cloud/throttled.ts";
import { FileStore } from "#objectstore/file.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { RetryOptions } from "#objectstore/retrying.ts";
import type { ObjectStore } from "#ports/object-store.ts";

/**
 * The store of `config`; what it holds open is added to `parts`. The library of a cloud takes half a second to load, so an
 * adapter is loaded only where its cloud is used.
 */
export async function openStore(
  config: StoreConfig,
  ports: CloudPorts,
  parts: AsyncDisposableStack,
): Promise<ObjectStore> {
  switch (config.kind) {
    case "memory":
      return memoryStore();
    case "memory-throttled":
      return throttledStore(memoryStore(), ports.clock);
    case "file":
      return parts.use(await FileStore.open(config.directory, ports));
    case "s3": {
      const { openS3Store } = await import("#objectstore/s3/s3-store.ts");
      return parts.use(await openS3Store(config, ports));
    }
    case "azure": {
      const { openAzureStore } = await import("#objectstore/azure/azure-store.ts");
      return parts.use(await openAzureStore(config, ports));
    }
    case "google": {
      const { openGoogleStore } = await import("#objectstore/google/google-store.ts");
      return parts.use(await openGoogleStore(config, ports));
    }
  }
}

/** How often what fails on the store of `config` is tried again. */
export function retriesOf(config: StoreConfig): RetryOptions {
  if (!("bucket" in config)) return {};
  return { attemptCountMax: 1 + config.retryCountMax, durationMsMax: config.retryTimeoutMs };
}
