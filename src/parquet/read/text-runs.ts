/** Texts of rows that repeat, as of the tags of sorted rows: read in a time that grows with how often they change. */
import type { Texts } from "../texts.ts";
import { codeWidth, isCoded, type Page, pagesOf, readTextChunk } from "./chunk-reader.ts";
import { addRun, type NumberRuns, readRunEnds, readTexts } from "./decodings.ts";
import type { ByteSource, StoredChunk, StoredColumn } from "./footer.ts";

/** Value 0 is NULL, `n` is entry `n - 1` of the dictionary. */
export interface TextRuns {
  readonly runs: NumberRuns;
  readonly dictionary: Texts;
}

/** The cells of a chunk of a column of bytes. Throws as `readChunk`. */
export function readTextRuns(
  source: ByteSource,
  column: StoredColumn,
  chunk: StoredChunk,
): TextRuns {
  const { data, dictionary } = pagesOf(source.read(chunk.start, chunk.sizeBytes), column, chunk);
  const pages = [...data];
  const runs: NumberRuns = { values: [], ends: [] };
  if (dictionary === undefined || !pages.every(isCoded)) {
    const { codes, dictionary: texts } = readTextChunk({ data: pages, dictionary }, chunk.rowCount);
    for (let row = 0; row < codes.length; row += 1) addRun(runs, codes[row] as number, row + 1);
    return { runs, dictionary: texts };
  }
  let row = 0;
  for (const page of pages) {
    addPage(runs, page, { start: row, entryCount: dictionary.count });
    row += page.rowCount;
  }
  return { runs, dictionary: readTexts(dictionary.bytes, 0, dictionary.count) };
}

/** Adds the rows of `page`, which begins with row `start`. */
function addPage(
  runs: NumberRuns,
  page: Page,
  { entryCount, start }: { readonly start: number; readonly entryCount: number },
): void {
  const { present, rowCount, valueCount } = page;
  const codes: NumberRuns =
    valueCount === 0
      ? { values: [], ends: [] }
      : readRunEnds(page.bytes, page.start + 1, { count: valueCount, width: codeWidth(page) });
  if (codes.values.some((code) => code >= entryCount))
    throw new Error("a code is not in the dictionary");
  if (present === undefined) {
    for (const [index, code] of codes.values.entries())
      addRun(runs, code + 1, start + (codes.ends[index] as number));
    return;
  }
  for (let row = 0, value = 0, run = 0; row < rowCount; row += 1) {
    if (present[row] === 0) {
      addRun(runs, 0, start + row + 1);
      continue;
    }
    while (value >= (codes.ends[run] as number)) run += 1;
    addRun(runs, (codes.values[run] as number) + 1, start + row + 1);
    value += 1;
  }
}
