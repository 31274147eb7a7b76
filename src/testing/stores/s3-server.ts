import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { S3Config } from "#objectstore/cloud/config.ts";

/** A running server that speaks S3. */
export interface S3Server extends AsyncDisposable {
  readonly endpoint: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Set where tests run that must not be left out because a server is not installed. */
export function mustHaveStores(): boolean {
  return process.env["TIDELAKE_TEST_STORES"] === "required";
}

/** The configuration of a store in `bucket` of the server at `endpoint`. */
export function s3Config(some: Partial<S3Config>): S3Config {
  return {
    kind: "s3",
    bucket: "data",
    region: "us-east-1",
    endpoint: undefined,
    allowHttp: true,
    skipSignature: false,
    keys: { accessKeyId: "id", secretAccessKey: "secret", sessionToken: undefined },
    credentialsFilePath: undefined,
    connectionCountMax: 16,
    requestTimeoutMs: 30_000,
    retryCountMax: 7,
    retryTimeoutMs: 60_000,
    tlsAllowInsecure: false,
    tlsCaPath: undefined,
    ...some,
  };
}

/** Makes a bucket of a name that nobody used. */
export async function makeBucket({ endpoint, keys }: S3Server): Promise<string> {
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: keys,
  });
  const bucket = `test-${process.pid}-${process.hrtime.bigint()}`;
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } finally {
    client.destroy();
  }
  return bucket;
}
