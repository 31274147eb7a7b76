import { startAzurite } from "#testing/stores/azurite.ts";
import { hasGoogleEmulator, startGoogleEmulator } from "#testing/stores/google-emulator.ts";
import { hasRadosgw, startRadosgw } from "#testing/stores/radosgw.ts";
import { makeBucket } from "#testing/stores/s3-server.ts";

/** What a cluster is told of its store. */
export interface Place {
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Starts the server of `store`; answers what makes an empty place in it, undefined where there is no such server. */
export async function startStore(
  store: string,
  parts: AsyncDisposableStack,
): Promise<(() => Promise<Place>) | undefined> {
  switch (store) {
    case "file":
      return async () => ({ options: [], env: {} });
    case "s3": {
      if (!hasRadosgw()) return undefined;
      const server = parts.use(await startRadosgw());
      const { accessKeyId, secretAccessKey } = server.keys;
      const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
      const endpoint = ["--aws-endpoint", server.endpoint, "--aws-allow-http"];
      return async () => {
        const bucket = await makeBucket(server);
        return { options: ["--object-store", "s3", "--bucket", bucket, ...endpoint], env };
      };
    }
    case "azure": {
      const azurite = parts.use(await startAzurite());
      return async () => {
        const { account, accessKey = "", bucket } = await azurite.makeContainer();
        const endpoint = ["--azure-endpoint", azurite.endpoint, "--azure-allow-http"];
        return {
          options: ["--object-store", "azure", "--bucket", bucket, ...endpoint],
          env: { AZURE_STORAGE_ACCOUNT: account, AZURE_STORAGE_ACCESS_KEY: accessKey },
        };
      };
    }
    case "google": {
      if (!hasGoogleEmulator()) return undefined;
      const emulator = parts.use(await startGoogleEmulator());
      return async () => {
        const { bucket } = await emulator.makeBucket();
        const options = ["--object-store", "google", "--bucket", bucket];
        return { options, env: { STORAGE_EMULATOR_HOST: emulator.url } };
      };
    }
    default:
      throw new Error(`there is no store ${store}; there are file, s3, azure, google`);
  }
}
