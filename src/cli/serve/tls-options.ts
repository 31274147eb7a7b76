import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { describeError } from "#base/errors.ts";
import type { ServerTls } from "#http/options.ts";
import type { NodeConfig } from "#node/config.ts";
import type { OptionSpec, Settings } from "../options.ts";
import { usageError } from "../values/usage.ts";

/** No chain of certificates is longer. */
const FILE_SIZE_MAX = 2 ** 20;

const VERSIONS = { "tls-1.2": "TLSv1.2", "tls-1.3": "TLSv1.3" } as const;

/** Who it is that clients and nodes speak to, and that nobody listens. */
export const TLS_OPTIONS: readonly OptionSpec[] = [
  {
    name: "tls-cert",
    value: "FILE",
    about:
      "Speak TLS alone on the one port, with this certificate: PEM, those that lead to its authority behind it",
  },
  {
    name: "tls-key",
    value: "FILE",
    about: "Private key of the certificate: PEM, without a passphrase",
  },
  {
    name: "tls-minimum-version",
    value: "VERSION",
    about: "Oldest TLS that is spoken: tls-1.2 or tls-1.3",
    default: "tls-1.2",
  },
  {
    name: "internode-tls-ca",
    value: "FILE",
    about:
      "Certificates (PEM) that this node trusts in other nodes, beside those of the system and its own",
    advanced: true,
  },
];

type TlsConfig = Pick<NodeConfig, "tls" | "peerAuthorities">;

/**
 * What the options say of TLS. Throws a usage error for a file that is not there, cannot be read or holds something else, and for a key
 * that is not the certificate's.
 */
export function tlsConfig(settings: Settings, workingDirectory: string): TlsConfig {
  const read = (text: string) => readPem(resolve(workingDirectory, text));
  const certificate = settings.parseIfGiven("tls-cert", (text) => certificateOf(read(text)));
  const key = settings.parseIfGiven("tls-key", (text) => keyOf(read(text)));
  const minVersion = VERSIONS[settings.choose("tls-minimum-version", ["tls-1.2", "tls-1.3"])];
  const authorities = settings.parseIfGiven("internode-tls-ca", (text) =>
    certificateOf(read(text)),
  );
  return {
    tls: serverTls(certificate, key, minVersion),
    peerAuthorities: authorities?.pem,
  };
}

interface Certificate {
  readonly pem: string;
  /** The first of the file. */
  readonly parsed: X509Certificate;
}

interface Key {
  readonly pem: string;
  readonly parsed: KeyObject;
}

function serverTls(
  certificate: Certificate | undefined,
  key: Key | undefined,
  minVersion: ServerTls["minVersion"],
): ServerTls | undefined {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined) throw usageError("--tls-key is of no use without --tls-cert");
  if (key === undefined) throw usageError("--tls-cert is of no use without --tls-key");
  if (!certificate.parsed.checkPrivateKey(key.parsed)) {
    throw usageError("the key of --tls-key is not that of the certificate of --tls-cert");
  }
  const tls = { certificate: certificate.pem, key: key.pem, minVersion };
  try {
    createSecureContext({ cert: tls.certificate, key: tls.key, minVersion });
  } catch (error) {
    throw usageError(`no TLS with --tls-cert and --tls-key: ${describeError(error)}`, error);
  }
  return tls;
}

function readPem(path: string): string {
  try {
    if (statSync(path).size <= FILE_SIZE_MAX) return readFileSync(path, "utf8");
  } catch (error) {
    throw usageError(`the file cannot be read: ${describeError(error)}`, error);
  }
  throw usageError("the file is too large to be one of PEM");
}

function certificateOf(pem: string): Certificate {
  try {
    return { pem, parsed: new X509Certificate(pem) };
  } catch (error) {
    throw usageError("the file holds no certificate in PEM", error);
  }
}

function keyOf(pem: string): Key {
  if (/ENCRYPTED/.test(pem)) {
    throw usageError(
      "the key has a passphrase, and nobody is there to type it: 'openssl pkey' writes one without",
    );
  }
  try {
    return { pem, parsed: createPrivateKey(pem) };
  } catch (error) {
    throw usageError("the file holds no private key in PEM", error);
  }
}
