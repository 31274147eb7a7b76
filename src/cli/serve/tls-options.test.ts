import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import {
  AUTHORITY,
  AUTHORITY_PATH,
  CERTIFICATE,
  CERTIFICATE_PATH,
  KEY,
  KEY_PATH,
} from "#testing/tls/files.ts";
import { run } from "../testing/run.ts";
import { BASE, prepared } from "./testing/prepared.ts";

const FILES = ["--tls-cert", CERTIFICATE_PATH, "--tls-key", KEY_PATH];

function configOf(...words: readonly string[]) {
  return prepared([...BASE, ...words]).config;
}

suite("TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidelake-tls-"));
  after(() => rmSync(folder, { recursive: true }));

  function file(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }

  test("is off unless a certificate is given, and 1.2 is the oldest unless said", () => {
    assert.equal(configOf().tls, undefined);
    assert.equal(configOf("--tls-minimum-version", "tls-1.3").tls, undefined);
    const tls = { certificate: CERTIFICATE, key: KEY, minVersion: "TLSv1.2" };
    assert.deepEqual(configOf(...FILES).tls, tls);
    const newest = configOf(...FILES, "--tls-minimum-version", "tls-1.3").tls;
    assert.equal(newest?.minVersion, "TLSv1.3");
    const trusting = configOf("--internode-tls-ca", AUTHORITY_PATH);
    assert.equal(trusting.peerAuthorities, AUTHORITY);
  });

  test("what is wrong with its files is one line with the option's name, and exit code 2", async () => {
    const elliptic = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
    const other = file("other.pem", elliptic.export({ type: "pkcs8", format: "pem" }));
    const locked = file(
      "locked.pem",
      elliptic.export({
        type: "pkcs8",
        format: "pem",
        cipher: "aes-256-cbc",
        passphrase: "secret",
      }),
    );
    const empty = file("empty.pem", "");
    const large = file("large.pem", CERTIFICATE + "\n".repeat(2 ** 20));
    const wrong: readonly [words: readonly string[], message: RegExp][] = [
      [["--tls-cert", CERTIFICATE_PATH], /--tls-cert is of no use without --tls-key;/],
      [["--tls-key", KEY_PATH], /--tls-key is of no use without --tls-cert;/],
      [
        ["--tls-cert", join(folder, "none")],
        /'--tls-cert <FILE>': the file cannot be read: ENOENT/,
      ],
      [["--tls-cert", folder], /'--tls-cert <FILE>': the file cannot be read: EISDIR/],
      [["--tls-cert", KEY_PATH], /'--tls-cert <FILE>': the file holds no certificate in PEM/],
      [["--tls-cert", empty], /'--tls-cert <FILE>': the file holds no certificate in PEM/],
      [["--tls-cert", large], /'--tls-cert <FILE>': the file is too large/],
      [["--tls-key", CERTIFICATE_PATH], /'--tls-key <FILE>': the file holds no private key in PEM/],
      [["--tls-key", locked], /'--tls-key <FILE>': the key has a passphrase/],
      [
        ["--tls-cert", CERTIFICATE_PATH, "--tls-key", other],
        /the key of --tls-key is not that of the certificate of --tls-cert;/,
      ],
      [["--internode-tls-ca", KEY_PATH], /'--internode-tls-ca <FILE>': the file holds no certif/],
      [["--tls-minimum-version", "tls-1.1"], /'--tls-minimum-version <VERSION>'/],
    ];
    for (const [words, message] of wrong) {
      const { error, exitCode, out } = await run(["serve", ...BASE, ...words]);
      assert.equal(exitCode, 2, error);
      assert.equal(out, "");
      assert.equal(error.trimEnd().split("\n").length, 1);
      assert.match(error.trimEnd(), message);
      assert.doesNotMatch(error, /PRIVATE|secret/);
    }
  });
});
