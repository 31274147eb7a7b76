import { DbError } from "#base/errors.ts";
import { RESULT_FORMATS, type ResultFormat } from "#query/result/result.ts";
import type { Parameters } from "../exchange/parameters.ts";

const FORMAT_OF_NAME: ReadonlyMap<string, ResultFormat> = new Map([
  ["json", "json"],
  ["jsonl", "jsonl"],
  ["json_lines", "jsonl"],
  ["csv", "csv"],
  ["pretty", "pretty"],
  ["parquet", "parquet"],
]);

const FORMAT_OF_MEDIA_TYPE: ReadonlyMap<string, ResultFormat> = new Map([
  ["application/json", "json"],
  ["application/jsonl", "jsonl"],
  ["text/csv", "csv"],
  ["text/plain", "pretty"],
  ["application/vnd.apache.parquet", "parquet"],
]);

/** The format that `format` names, else the first that the header `accept` names, else JSON. */
export function chooseFormat(parameters: Parameters, accept: string | undefined): ResultFormat {
  const name = parameters.text("format");
  return name === undefined ? acceptedFormat(accept) : namedFormat(parameters, name);
}

/** The format that `format` names, which must be there. */
export function requiredFormat(parameters: Parameters): ResultFormat {
  return namedFormat(parameters, parameters.requiredText("format"));
}

/** The Content-Type of an answer in `format`. */
export function contentType(format: ResultFormat): string {
  return RESULT_FORMATS[format].contentType;
}

function namedFormat(parameters: Parameters, name: string): ResultFormat {
  const format = FORMAT_OF_NAME.get(name);
  if (format !== undefined) return format;
  throw parameters.wrong(
    `unknown variant \`${name}\`, expected one of \`parquet\`, \`csv\`, \`pretty\`, \`json\`, \`jsonl\``,
  );
}

function acceptedFormat(accept: string | undefined): ResultFormat {
  const text = accept?.toLowerCase() ?? "";
  if (text === "" || text.includes("*/*") || text.includes("text/html")) return "json";
  for (const range of text.split(",")) {
    const [mediaType = ""] = range.split(";");
    const format = FORMAT_OF_MEDIA_TYPE.get(mediaType.trim());
    if (format !== undefined) return format;
  }
  throw new DbError("invalid", "accept", `invalid mime type (${accept})`);
}
