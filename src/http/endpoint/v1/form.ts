import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { requireUtf8 } from "../../exchange/text.ts";

/** The values of a request of InfluxDB 1: of its body, then of its URL. The first of a name counts. */
export interface FormValues {
  /** Undefined where it is missing or empty. */
  text(name: string): string | undefined;
}

/** A body of these types is the query itself. */
const QUERY_TYPES: ReadonlySet<string> = new Set(["", "application/vnd.influxql"]);

/** Those of the URL alone. */
export function urlValues(exchange: Exchange): FormValues {
  return valuesOf([new URLSearchParams(exchange.query ?? "")]);
}

/**
 * Those of the body and the URL. A body that is neither a form nor a query is passed over, as InfluxDB 1 does.
 * Rejects with `invalid` / `body_form`, and as `Exchange.readBody` does.
 */
export async function bodyValues(exchange: Exchange): Promise<FormValues> {
  const ofUrl = new URLSearchParams(exchange.query ?? "");
  const contentType = exchange.headers["content-type"] ?? "";
  const mediaType = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  const body = await exchange.readBody();
  if (mediaType === "application/x-www-form-urlencoded") {
    requireUtf8(body);
    return valuesOf([new URLSearchParams(fromUtf8(body)), ofUrl]);
  }
  if (mediaType === "multipart/form-data")
    return valuesOf([await multipartValues(body, contentType), ofUrl]);
  if (!QUERY_TYPES.has(mediaType) || body.length === 0 || ofUrl.get("q")) return valuesOf([ofUrl]);
  requireUtf8(body);
  return valuesOf([new URLSearchParams({ q: fromUtf8(body) }), ofUrl]);
}

function valuesOf(sources: readonly URLSearchParams[]): FormValues {
  return {
    text(name) {
      for (const source of sources) {
        const value = source.get(name);
        if (value !== null) return value === "" ? undefined : value;
      }
      return undefined;
    },
  };
}

/** Files are values as well: their text. */
async function multipartValues(body: Uint8Array, contentType: string): Promise<URLSearchParams> {
  const values = new URLSearchParams();
  const headers = { "content-type": contentType };
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(body), { headers }).formData();
  } catch (error) {
    throw new DbError("invalid", "body_form", "the body is no form of multipart/form-data", {
      cause: error,
    });
  }
  for (const [name, value] of form)
    values.append(name, typeof value === "string" ? value : await value.text());
  return values;
}
