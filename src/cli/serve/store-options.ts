import { resolve } from "node:path";
import type {
  AzureConfig,
  CloudConfig,
  GoogleConfig,
  S3Config,
  S3Keys,
  StoreConfig,
} from "#objectstore/cloud/config.ts";
import { envName, type OptionSpec, type Settings } from "../options.ts";
import { parseCount } from "../values/count.ts";
import { parseDuration } from "../values/duration.ts";
import { isUsageError, usageError } from "../values/usage.ts";

const STORES = ["memory", "memory-throttled", "file", "s3", "google", "azure"] as const;
const REGION = "us-east-1";
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,221}[A-Za-z0-9]$/;
const ACCOUNT = /^[a-z0-9]{3,24}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const PLACE: readonly OptionSpec[] = [
  {
    name: "object-store",
    value: "STORE",
    about: `Where the cluster keeps its data: ${STORES.join(", ")}`,
    env: "INFLUXDB3_OBJECT_STORE",
  },
  {
    name: "data-dir",
    value: "FOLDER",
    about: "Folder of the object store 'file', which all nodes see",
    env: "INFLUXDB3_DATA_DIR",
    old: { envs: ["INFLUXDB3_DB_DIR"] },
  },
  {
    name: "bucket",
    value: "BUCKET",
    about: "The bucket, or the container of 'azure'",
    env: "INFLUXDB3_BUCKET",
  },
];

const S3: readonly OptionSpec[] = [
  {
    name: "aws-access-key-id",
    value: "ID",
    about: "Id of the access key [default: what AWS programs find on this machine]",
    secret: true,
  },
  {
    name: "aws-secret-access-key",
    value: "SECRET",
    about: "Secret of the access key; of 'azure' the account's key",
    secret: true,
  },
  {
    name: "aws-session-token",
    value: "TOKEN",
    about: "Token of an access key that ends",
    secret: true,
  },
  { name: "aws-default-region", value: "REGION", about: "Region of the bucket", default: REGION },
  {
    name: "aws-endpoint",
    value: "URL",
    about:
      "Address of a server that speaks S3 [default: that of AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, else Amazon's in the region]",
  },
  {
    name: "aws-allow-http",
    about: "Speak to the endpoint without TLS where it begins with http://",
  },
  {
    name: "aws-skip-signature",
    about: "Sign nothing, for a bucket open to everybody",
    advanced: true,
  },
  {
    name: "aws-credentials-file",
    value: "FILE",
    about:
      "JSON file of an access key that something keeps fresh; read again when the key ends or is denied, and every hour",
    advanced: true,
  },
  {
    name: "aws-s3-custom-backend",
    value: "SERVER",
    about: "The server behind the endpoint: ceph. It is spoken to like any other",
    advanced: true,
  },
];

const OTHER_CLOUDS: readonly OptionSpec[] = [
  {
    name: "google-service-account",
    value: "FILE",
    about: "JSON file of a service account [default: what Google's programs find on this machine]",
  },
  { name: "azure-storage-account", value: "ACCOUNT", about: "Name of the storage account" },
  {
    name: "azure-storage-access-key",
    value: "KEY",
    about: "Key of the storage account",
    secret: true,
  },
  {
    name: "azure-endpoint",
    value: "URL",
    about: "Address of the account's blob service [default: Azure's]",
  },
  {
    name: "azure-allow-http",
    about: "Speak to the endpoint without TLS where it begins with http://",
  },
];

const REQUESTS: readonly OptionSpec[] = [
  {
    name: "object-store-connection-limit",
    value: "COUNT",
    about: "Requests to a cloud under way at once",
    default: "16",
  },
  {
    name: "object-store-request-timeout",
    value: "DURATION",
    about: "Longest time one request to a cloud may take",
    default: "30s",
  },
  {
    name: "object-store-max-retries",
    value: "COUNT",
    about: "Repetitions of a request to a cloud that failed and may succeed",
    default: "7",
    advanced: true,
  },
  {
    name: "object-store-retry-timeout",
    value: "DURATION",
    about: "Time after which such a request is not repeated any more",
    default: "1m",
    advanced: true,
  },
  {
    name: "object-store-tls-allow-insecure",
    about: "Speak to a cloud whatever its certificate says",
    advanced: true,
  },
  {
    name: "object-store-tls-ca",
    value: "FILE",
    about: "Trust clouds whose certificate this authority signed, too",
    advanced: true,
  },
].map((spec) => ({ ...spec, old: { envs: [envName(spec.name).replace("INFLUXDB3_", "")] } }));

/** Options that say where the objects are: of `serve`, and of what reads them without a node. */
export const STORE_OPTIONS: readonly OptionSpec[] = [
  ...PLACE,
  // Clouds have names of their own for these.
  ...[...S3, ...OTHER_CLOUDS].map((spec) => ({ env: cloudEnvName(spec.name), ...spec })),
  ...REQUESTS.map((spec) => ({ env: envName(spec.name), ...spec })),
];

function cloudEnvName(option: string): string {
  return option.toUpperCase().replaceAll("-", "_");
}

export interface StoreSurroundings {
  readonly workingDirectory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The object store that `settings` describe. Throws a usage error for a missing or unreadable option. */
export function storeConfig(settings: Settings, surroundings: StoreSurroundings): StoreConfig {
  const kind = settings.choose("object-store", STORES);
  switch (kind) {
    case "memory":
    case "memory-throttled":
      return { kind };
    case "file":
      requireFor(kind, settings, "data-dir", "FOLDER");
      return { kind, directory: settings.parse("data-dir", pathParser(surroundings)) };
    case "s3":
      return s3Config(settings, surroundings);
    case "azure":
      return azureConfig(settings, surroundings);
    case "google":
      return googleConfig(settings, surroundings);
  }
}

function s3Config(settings: Settings, surroundings: StoreSurroundings): S3Config {
  const cloud = cloudConfig("s3", settings, surroundings);
  const allowHttp = settings.isOn("aws-allow-http");
  // Nothing depends on it, and a word that is none is a mistake all the same.
  if (settings.find("aws-s3-custom-backend") !== undefined)
    settings.choose("aws-s3-custom-backend", ["ceph"]);
  return {
    kind: "s3",
    ...cloud,
    region: regionOf(settings, surroundings),
    endpoint: s3Endpoint(settings, surroundings, allowHttp),
    allowHttp,
    skipSignature: settings.isOn("aws-skip-signature"),
    keys: s3Keys(settings),
    credentialsFilePath: settings.parseIfGiven("aws-credentials-file", pathParser(surroundings)),
  };
}

/** The endpoint of the option, else the one that AWS programs take from their variables; either is held to the same rules. */
function s3Endpoint(
  settings: Settings,
  { env }: StoreSurroundings,
  allowHttp: boolean,
): string | undefined {
  const rules = { allowHttp, switchName: "aws-allow-http" };
  if (settings.find("aws-endpoint") !== undefined)
    return endpointOf(settings, "aws-endpoint", rules);
  if (env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.toLowerCase() === "true") return undefined;
  const variable = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].find((name) => env[name]);
  if (variable === undefined) return undefined;
  const text = env[variable] ?? "";
  refuseKeysInUrl(text, `the variable ${variable}`);
  try {
    return parseEndpoint(text, rules);
  } catch (error) {
    if (!isUsageError(error)) throw error;
    throw usageError(
      `invalid value '${text}' of the variable ${variable}: ${error.message}`,
      error,
    );
  }
}

/** The region of the option, else the one that AWS programs take. */
function regionOf(settings: Settings, { env }: StoreSurroundings): string {
  const other = env["AWS_REGION"];
  const given = settings.source("aws-default-region") !== "default";
  return given || other === undefined || other === ""
    ? settings.require("aws-default-region")
    : other;
}

function s3Keys(settings: Settings): S3Keys | undefined {
  const idSource = settings.source("aws-access-key-id");
  const secretSource = settings.source("aws-secret-access-key");
  const tokenSource = settings.source("aws-session-token");
  if (idSource === undefined && secretSource === undefined && tokenSource === undefined)
    return undefined;
  requireFor("s3", settings, "aws-access-key-id", "ID");
  requireFor("s3", settings, "aws-secret-access-key", "SECRET");
  // A token of the environment belongs to the key there, not to another one of the command line.
  const hasToken = tokenSource === "flag" || (tokenSource === "env" && idSource === "env");
  return {
    accessKeyId: settings.require("aws-access-key-id"),
    secretAccessKey: settings.require("aws-secret-access-key"),
    sessionToken: hasToken ? settings.find("aws-session-token") : undefined,
  };
}

function azureConfig(settings: Settings, surroundings: StoreSurroundings): AzureConfig {
  const cloud = cloudConfig("azure", settings, surroundings);
  requireFor("azure", settings, "azure-storage-account", "ACCOUNT");
  const allowHttp = settings.isOn("azure-allow-http");
  return {
    kind: "azure",
    ...cloud,
    account: settings.parse("azure-storage-account", parseAccount),
    accessKey: azureKey(settings),
    endpoint: endpointOf(settings, "azure-endpoint", { allowHttp, switchName: "azure-allow-http" }),
    allowHttp,
  };
}

/** The account's key, which may come under the name of S3's, as guides of the other server have it. */
function azureKey(settings: Settings): string | undefined {
  const own = settings.parseIfGiven("azure-storage-access-key", parseAzureKey);
  if (own !== undefined || settings.source("aws-secret-access-key") !== "flag") return own;
  return settings.parse("aws-secret-access-key", parseAzureKey);
}

function googleConfig(settings: Settings, surroundings: StoreSurroundings): GoogleConfig {
  return {
    kind: "google",
    ...cloudConfig("google", settings, surroundings),
    serviceAccountPath: settings.parseIfGiven("google-service-account", pathParser(surroundings)),
  };
}

function cloudConfig(
  kind: string,
  settings: Settings,
  surroundings: StoreSurroundings,
): CloudConfig {
  requireFor(kind, settings, "bucket", "BUCKET");
  return {
    bucket: settings.parse("bucket", parseBucket),
    connectionCountMax: settings.parse("object-store-connection-limit", parseCount),
    requestTimeoutMs: settings.parse("object-store-request-timeout", parseTime),
    retryCountMax: settings.parse("object-store-max-retries", parseRetryCount),
    retryTimeoutMs: settings.parse("object-store-retry-timeout", parseTime),
    tlsAllowInsecure: settings.isOn("object-store-tls-allow-insecure"),
    tlsCaPath: settings.parseIfGiven("object-store-tls-ca", pathParser(surroundings)),
  };
}

/** Whether an endpoint may be without TLS, and the switch that says so. */
interface EndpointRules {
  readonly allowHttp: boolean;
  readonly switchName: string;
}

function endpointOf(settings: Settings, name: string, rules: EndpointRules): string | undefined {
  refuseKeysInUrl(settings.find(name), `--${name}`);
  return settings.parseIfGiven(name, (text) => parseEndpoint(text, rules));
}

function parseEndpoint(text: string, { allowHttp, switchName }: EndpointRules): string {
  const bare = text.trim().replace(/\/+$/, "");
  if (!/^https?:\/\//i.test(bare) || !URL.canParse(bare))
    throw usageError("give a URL like https://host01:9000");
  if (/^http:/i.test(bare) && !allowHttp)
    throw usageError(`it is without TLS; add --${switchName} if that is meant`);
  return bare;
}

/** An address stands in messages and in `show nodes`, and what is secret in it would not be sent. Does not show it. */
function refuseKeysInUrl(text: string | undefined, from: string): void {
  const url = text === undefined ? null : URL.parse(text.trim());
  if (url === null || `${url.username}${url.password}${url.search}` === "") return;
  throw usageError(
    `the URL of ${from} holds a name, password or query: keys have options of their own`,
  );
}

function requireFor(kind: string, settings: Settings, name: string, value: string): void {
  if (settings.find(name) !== undefined) return;
  const env = STORE_OPTIONS.find((spec) => spec.name === name)?.env ?? "";
  throw usageError(
    `the option --${name} <${value}> (or the variable ${env}) is required with the object store '${kind}'`,
  );
}

function pathParser({ workingDirectory }: StoreSurroundings): (text: string) => string {
  return (text) => {
    if (text === "") throw usageError("the name is empty");
    return resolve(workingDirectory, text);
  };
}

function parseBucket(text: string): string {
  if (!BUCKET.test(text)) {
    throw usageError("use 3 to 223 letters, digits, '-', '_' and '.', without a path");
  }
  return text;
}

function parseAccount(text: string): string {
  if (!ACCOUNT.test(text)) throw usageError("use 3 to 24 small letters and digits");
  return text;
}

function parseAzureKey(text: string): string {
  if (!BASE64.test(text)) throw usageError("an account's key is base64");
  return text;
}

function parseRetryCount(text: string): number {
  return text === "0" ? 0 : parseCount(text);
}

function parseTime(text: string): number {
  const ms = parseDuration(text);
  if (ms < 1) throw usageError("the shortest is 1ms");
  return ms;
}
