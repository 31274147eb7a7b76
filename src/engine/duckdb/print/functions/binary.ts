/** The functions of model/query/functions/binary.ts as engine SQL. */
import { assert } from "#base/errors.ts";
import { type BinaryFunction, DIGESTS } from "#model/query/functions/binary.ts";
import { printError } from "../cast.ts";
import { literalOf, named, type Printers } from "./printer.ts";

export const BINARY: Printers<BinaryFunction> = {
  bytes_of: named("encode"),
  bytes_length: ([a = ""]) => `CAST(octet_length(${a}) AS INTEGER)`,
  encode_hex: ([a = ""]) => `lower(hex(${a}))`,
  encode_base64: ([a = ""]) => `rtrim(to_base64(${a}), '=')`,
  decode_hex: ([a = ""]) => printDecoded(a, "(?:[0-9a-fA-F]{2})*", `unhex(${a})`),
  decode_base64: ([a = ""]) => {
    const digits = `rtrim(${a}, '=')`;
    const padded = `rpad(${digits}, CAST((length(${digits}) + 3) // 4 * 4 AS INTEGER), '=')`;
    const whole = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?";
    return printDecoded(a, whole, `from_base64(${padded})`);
  },
  digest: ([a = ""], call) => {
    const algorithm = DIGESTS.find((name) => name === literalOf(call, 1));
    assert(algorithm !== undefined, "a digest names its algorithm");
    if (algorithm === "md5") return `unhex(md5(${a}))`;
    if (algorithm === "sha256") return `unhex(sha256(${a}))`;
    return `tl_digest('${algorithm}', ${a})`;
  },
};

function printDecoded(text: string, pattern: string, decoded: string): string {
  const failure = `CAST(${printError("cast_failed")} AS BLOB)`;
  return `(CASE WHEN ${text} IS NULL THEN NULL WHEN regexp_full_match(${text}, '${pattern}') THEN ${decoded} ELSE ${failure} END)`;
}
