/** Where a cluster keeps its objects; made by cli/ from options. Adapters of clouds are loaded only where one is configured. */
export type StoreConfig =
  | { readonly kind: "memory" }
  | { readonly kind: "memory-throttled" }
  | { readonly kind: "file"; readonly directory: string }
  | S3Config
  | AzureConfig
  | GoogleConfig;

/** What all clouds have in common. Times in milliseconds. */
export interface CloudConfig {
  /** The bucket, or Azure's container. It is there already. */
  readonly bucket: string;
  /** Requests under way at once; more wait. */
  readonly connectionCountMax: number;
  /** A request that has no whole answer by then is given up; it may have taken effect. */
  readonly requestTimeoutMs: number;
  /** Repetitions of what failed and may succeed (retrying.ts). */
  readonly retryCountMax: number;
  /** No repetition begins later than this after the first attempt did. */
  readonly retryTimeoutMs: number;
  /** Whether a certificate is taken that nobody vouches for. */
  readonly tlsAllowInsecure: boolean;
  /** A PEM file of authorities to trust beside the usual ones. */
  readonly tlsCaPath: string | undefined;
}

export interface S3Config extends CloudConfig {
  readonly kind: "s3";
  readonly region: string;
  /** A URL; undefined: Amazon's of the region. */
  readonly endpoint: string | undefined;
  readonly allowHttp: boolean;
  /** Requests carry no signature: for buckets that are open to everybody. */
  readonly skipSignature: boolean;
  /** Undefined: what `credentialsFilePath` says, else what Amazon's own programs would use. */
  readonly keys: S3Keys | undefined;
  /** A JSON file of keys that expire (credentials-file.ts); it is believed rather than `keys`. */
  readonly credentialsFilePath: string | undefined;
}

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

export interface AzureConfig extends CloudConfig {
  readonly kind: "azure";
  readonly account: string;
  /** Base64; undefined: anonymous, or what the machine provides. */
  readonly accessKey: string | undefined;
  /** A URL of the account; undefined: Azure's of the account. */
  readonly endpoint: string | undefined;
  readonly allowHttp: boolean;
}

export interface GoogleConfig extends CloudConfig {
  readonly kind: "google";
  /** A JSON file of a service account; undefined: what Google's own programs would use. */
  readonly serviceAccountPath: string | undefined;
}
