import { parseLines } from "./parse.ts";
import type { LineParser } from "./parsed.ts";

/** Parses where it is called. The reference that faster ones are compared with. */
export const plainParser: LineParser = {
  async parse(body, options) {
    return parseLines(body, options);
  },
};
