import { usageError } from "./usage.ts";

const PORT_DEFAULT = 8181;
const HTTPS = /^https:\/\//i;
const NAME = /^[A-Za-z0-9._-]+$/;
const IPV6 = /^\[[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?\]$/;

/**
 * `host:port` to listen on, of a text like `127.0.0.1:8181`, `:8181`, `localhost` or `http://localhost:8282`.
 * Without a host it is every address, without a port 8181; an IPv6 address keeps its brackets.
 *
 * Throws a usage error for anything else.
 */
export function parseBindAddress(text: string): string {
  const trimmed = text.trim();
  if (HTTPS.test(trimmed)) throw usageError("give host:port; --tls-cert and --tls-key make it TLS");
  const bare = trimmed.replace(/^http:\/\//i, "").replace(/\/$/, "");
  if (bare.includes("/")) throw usageError("give host:port, without a path");
  if (/^\d+$/.test(bare))
    throw usageError(`a number alone is no address: for the port give :${bare}`);
  const { host, port } = splitHostPort(bare);
  return `${host === "" ? "0.0.0.0" : host}:${port ?? PORT_DEFAULT}`;
}

/**
 * `host:port` that other nodes are told, of a text like `host01:8181`, `host01` or `http://host01:8282`: an address that means
 * this machine to all of them. Without a port it is 8181. `https://` stays before it.
 *
 * Throws a usage error for anything else.
 */
export function parsePeerAddress(text: string): string {
  const bare = text.trim().replace(HTTPS, "");
  const address = parseBindAddress(bare);
  if (/^(0\.0\.0\.0|\[::\]):/.test(address) || address.endsWith(":0")) {
    throw usageError("give host:port where other nodes reach this one");
  }
  return bare === text.trim() ? address : `https://${address}`;
}

/**
 * The base URL of a server to speak to, without a slash at its end, of a text like `http://127.0.0.1:8181`, `host02:8282`,
 * `:8181` or `localhost`. Without a scheme it is http and the port 8181 unless named; with one, the scheme's own port.
 *
 * Throws a usage error for anything else.
 */
export function parseServerUrl(text: string): string {
  const trimmed = text.trim().replace(/\/+$/, "");
  if (/^https?:\/\//i.test(trimmed)) return checkedUrl(trimmed);
  if (trimmed.includes("://")) throw usageError("give an address with http:// or https://");
  const { host, port } = splitHostPort(trimmed);
  if (host === "" && port === undefined) throw usageError("the address is empty");
  return checkedUrl(`http://${host === "" ? "127.0.0.1" : host}:${port ?? PORT_DEFAULT}`);
}

function splitHostPort(text: string): { host: string; port: number | undefined } {
  const end = text.startsWith("[") ? text.indexOf("]") + 1 : text.lastIndexOf(":");
  const hasPort = end >= 0 && text[end] === ":";
  const host = hasPort ? text.slice(0, end) : text;
  if (host !== "" && !NAME.test(host) && !IPV6.test(host)) {
    throw usageError("not an address: give host:port, an IPv6 host in brackets");
  }
  if (!hasPort) return { host, port: undefined };
  const portText = text.slice(end + 1);
  const port = Number(portText);
  if (!/^\d{1,5}$/.test(portText) || port > 65_535) {
    throw usageError("a port is a number from 0 to 65535");
  }
  return { host, port };
}

function checkedUrl(text: string): string {
  if (!URL.canParse(text)) throw usageError("not an address: give one like http://127.0.0.1:8181");
  return text;
}
