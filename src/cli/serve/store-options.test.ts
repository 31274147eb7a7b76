import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Command } from "commander";
import { addOptions, Settings } from "../options.ts";
import { isUsageError } from "../values/usage.ts";
import { STORE_OPTIONS, storeConfig } from "./store-options.ts";

type Env = Readonly<Record<string, string>>;

const S3 = "--object-store s3 --bucket data";
const AZURE = "--object-store azure --bucket data --azure-storage-account acme";
const GOOGLE = "--object-store google --bucket data";
const CLOUD = {
  bucket: "data",
  connectionCountMax: 16,
  requestTimeoutMs: 30_000,
  retryCountMax: 7,
  retryTimeoutMs: 60_000,
  tlsAllowInsecure: false,
  tlsCaPath: undefined,
};

function configOf(text: string, env: Env = {}) {
  const command = new Command("serve")
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  addOptions(command, STORE_OPTIONS, false);
  command.parse(
    text.split(" ").filter((word) => word !== ""),
    { from: "user" },
  );
  const settings = new Settings(STORE_OPTIONS, command.opts(), env);
  return storeConfig(settings, { workingDirectory: "/home/ada", env });
}

suite("the options of an object store", () => {
  test("leave to the cloud's own programs what they do not say", () => {
    assert.deepEqual(configOf(S3), {
      kind: "s3",
      ...CLOUD,
      region: "us-east-1",
      endpoint: undefined,
      allowHttp: false,
      skipSignature: false,
      keys: undefined,
      credentialsFilePath: undefined,
    });
    assert.deepEqual(configOf(AZURE), {
      kind: "azure",
      ...CLOUD,
      account: "acme",
      accessKey: undefined,
      endpoint: undefined,
      allowHttp: false,
    });
    assert.deepEqual(configOf(GOOGLE), { kind: "google", ...CLOUD, serviceAccountPath: undefined });
  });

  const taken: readonly (readonly [string, object, Env?])[] = [
    ["--object-store memory", { kind: "memory" }],
    ["--object-store memory-throttled", { kind: "memory-throttled" }],
    ["--object-store file --data-dir store", { kind: "file", directory: "/home/ada/store" }],
    [
      `${S3} --aws-access-key-id id --aws-secret-access-key secret --aws-session-token token`,
      { keys: { accessKeyId: "id", secretAccessKey: "secret", sessionToken: "token" } },
    ],
    [
      S3,
      { keys: { accessKeyId: "id", secretAccessKey: "secret", sessionToken: "token" } },
      { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret", AWS_SESSION_TOKEN: "token" },
    ],
    [
      `${S3} --aws-access-key-id id --aws-secret-access-key secret`,
      { keys: { accessKeyId: "id", secretAccessKey: "secret", sessionToken: undefined } },
      { AWS_ACCESS_KEY_ID: "other", AWS_SECRET_ACCESS_KEY: "other", AWS_SESSION_TOKEN: "other" },
    ],
    [`${S3} --aws-default-region eu-west-1`, { region: "eu-west-1" }, { AWS_REGION: "us-west-2" }],
    [S3, { region: "us-west-2" }, { AWS_REGION: "us-west-2" }],
    [`${S3} --aws-endpoint https://minio:9000/`, { endpoint: "https://minio:9000" }],
    [
      `${S3} --aws-endpoint http://minio:9000 --aws-allow-http`,
      { endpoint: "http://minio:9000", allowHttp: true },
    ],
    [
      S3,
      { endpoint: "http://minio:9000", allowHttp: true, skipSignature: true },
      { AWS_ENDPOINT: "http://minio:9000", AWS_ALLOW_HTTP: "true", AWS_SKIP_SIGNATURE: "1" },
    ],
    [S3, { endpoint: "https://minio:9000" }, { AWS_ENDPOINT_URL: "https://minio:9000/" }],
    [
      `${S3} --aws-allow-http`,
      { endpoint: "http://minio:9000" },
      { AWS_ENDPOINT_URL_S3: "http://minio:9000", AWS_ENDPOINT_URL: "https://other" },
    ],
    [
      `${S3} --aws-endpoint https://minio:9000`,
      { endpoint: "https://minio:9000" },
      { AWS_ENDPOINT_URL: "http://other" },
    ],
    [
      S3,
      { endpoint: undefined },
      { AWS_ENDPOINT_URL: "http://other", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" },
    ],
    [
      `${S3} --aws-credentials-file keys.json --aws-s3-custom-backend ceph`,
      { credentialsFilePath: "/home/ada/keys.json" },
    ],
    [`${AZURE} --azure-storage-access-key a2V5`, { accessKey: "a2V5" }],
    [`${AZURE} --aws-secret-access-key a2V5`, { accessKey: "a2V5" }],
    [AZURE, { accessKey: undefined }, { AWS_SECRET_ACCESS_KEY: "a2V5" }],
    [
      "--object-store azure",
      { bucket: "data", account: "acme", accessKey: "a2V5", endpoint: "http://a:1/acme" },
      {
        INFLUXDB3_BUCKET: "data",
        AZURE_STORAGE_ACCOUNT: "acme",
        AZURE_STORAGE_ACCESS_KEY: "a2V5",
        AZURE_ENDPOINT: "http://a:1/acme/",
        AZURE_ALLOW_HTTP: "true",
      },
    ],
    [`${GOOGLE} --google-service-account a.json`, { serviceAccountPath: "/home/ada/a.json" }],
    [GOOGLE, { serviceAccountPath: "/a.json" }, { GOOGLE_SERVICE_ACCOUNT: "/a.json" }],
    [
      `${GOOGLE} --object-store-connection-limit 3 --object-store-request-timeout 5s`,
      { connectionCountMax: 3, requestTimeoutMs: 5_000 },
    ],
    [
      `${GOOGLE} --object-store-max-retries 0 --object-store-retry-timeout 2m`,
      { retryCountMax: 0, retryTimeoutMs: 120_000 },
    ],
    [
      `${GOOGLE} --object-store-tls-allow-insecure --object-store-tls-ca ca.pem`,
      { tlsAllowInsecure: true, tlsCaPath: "/home/ada/ca.pem" },
    ],
    [
      GOOGLE,
      { connectionCountMax: 4, requestTimeoutMs: 1_000 },
      {
        OBJECT_STORE_CONNECTION_LIMIT: "4",
        INFLUXDB3_OBJECT_STORE_REQUEST_TIMEOUT: "1s",
        OBJECT_STORE_REQUEST_TIMEOUT: "9s",
      },
    ],
  ];
  for (const [text, expected, env] of taken) {
    const variables = Object.keys(env ?? {}).join(" ");
    test(`${text} ${variables}`.trim(), () => {
      assert.partialDeepStrictEqual(configOf(text, env), expected);
    });
  }

  const wrong: readonly (readonly [string, RegExp, Env?])[] = [
    ["", /--object-store <STORE> \(or the variable INFLUXDB3_OBJECT_STORE\) is required/],
    [
      "--object-store tape",
      /possible values are memory, memory-throttled, file, s3, google, azure/,
    ],
    ["--object-store file", /--data-dir <FOLDER> \(or the variable INFLUXDB3_DATA_DIR\)/],
    ["--object-store s3", /--bucket <BUCKET> \(or the variable INFLUXDB3_BUCKET\).*'s3'/],
    ["--object-store google", /--bucket <BUCKET>.*'google'/],
    ["--object-store s3 --bucket a/b", /without a path/],
    [
      `${S3} --aws-access-key-id id`,
      /--aws-secret-access-key <SECRET> \(or the variable AWS_SECRET_ACCESS_KEY\) is required/,
    ],
    [`${S3} --aws-secret-access-key secret`, /--aws-access-key-id <ID>/],
    [`${S3} --aws-session-token token`, /--aws-access-key-id <ID>/],
    [`${S3} --aws-endpoint http://minio:9000`, /add --aws-allow-http/],
    [`${S3} --aws-endpoint minio:9000`, /give a URL/],
    [
      S3,
      /'http:\/\/minio:9000' of the variable AWS_ENDPOINT_URL: it is without TLS; add --aws-allow-http/,
      { AWS_ENDPOINT_URL: "http://minio:9000" },
    ],
    [S3, /of the variable AWS_ENDPOINT_URL_S3: give a URL/, { AWS_ENDPOINT_URL_S3: "minio:9000" }],
    [`${S3} --aws-s3-custom-backend swift`, /possible values are ceph/],
    ["--object-store azure --bucket data", /--azure-storage-account <ACCOUNT>/],
    [`${AZURE} --azure-endpoint http://a:1`, /add --azure-allow-http/],
    [`${GOOGLE} --object-store-connection-limit 0`, /at least 1/],
    [`${GOOGLE} --object-store-request-timeout 0s`, /the shortest is 1ms/],
    [`${GOOGLE} --object-store-max-retries -1`, /whole number/],
  ];
  for (const [text, message, env] of wrong) {
    const variables = Object.keys(env ?? {}).join(" ");
    test(`"${`${text} ${variables}`.trim()}" is a usage error`, () => {
      assert.throws(
        () => configOf(text, env),
        (error) => isUsageError(error) && message.test(error.message),
      );
    });
  }

  for (const text of [
    `${S3} --aws-endpoint http://me:hidden@minio:9000 --aws-allow-http`,
    `${AZURE} --azure-endpoint https://acme.blob.core.windows.net/?sv=1&sig=hidden`,
  ]) {
    test(`"${text}" is refused, and its secret not shown`, () => {
      assert.throws(
        () => configOf(text),
        (error) => isUsageError(error) && !error.message.includes("hidden"),
      );
    });
  }

  test("refuse keys in the URL of a variable, too, and do not show them", () => {
    assert.throws(
      () => configOf(S3, { AWS_ENDPOINT_URL: "https://me:hidden@minio:9000" }),
      (error) => isUsageError(error) && !error.message.includes("hidden"),
    );
  });

  test("never show a secret", () => {
    const text = `${AZURE} --azure-storage-access-key not_base64!`;
    assert.throws(
      () => configOf(text),
      (error) =>
        isUsageError(error) &&
        error.message.includes("--azure-storage-access-key") &&
        !error.message.includes("not_base64"),
    );
  });
});
