/** A certificate for this machine (`localhost`, `127.0.0.1`, `::1`), its key, and the authority that signed it. They protect nothing. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

export const CERTIFICATE_PATH = pathOf("cert.pem");
export const KEY_PATH = pathOf("key.pem");
export const AUTHORITY_PATH = pathOf("ca.pem");

export const CERTIFICATE = readFileSync(CERTIFICATE_PATH, "utf8");
export const KEY = readFileSync(KEY_PATH, "utf8");
export const AUTHORITY = readFileSync(AUTHORITY_PATH, "utf8");
