/** Many of one thing: what is written, and what is asked of it. */
export interface Case {
  readonly name: string;
  /** How much there is of it, in words. */
  readonly about: string;
  /** Rows of one pass; each pass has the same series at a later time. */
  readonly rowCount: number;
  readonly bodies: (pass: number) => Generator<string>;
  /** Asked again and again. */
  readonly queries: Readonly<Record<string, string>>;
  /** Must be answered so after `passCount` passes. */
  readonly checks: (passCount: number) => readonly Check[];
}

export interface Check {
  readonly text: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

const START_SEC = 1_700_000_000;
const PASS_SEC = 600;
const BODY_ROW_COUNT = 5_000;
/** 500 with time and tags. */
const TAG_COUNT = 10;
const COLUMN_COUNT = 500;
const WIDE_HOST_COUNT = 100;
const WIDE_BODY_ROW_COUNT = 500;
const ROWS_PER_TABLE = 10;
const TABLE_SAMPLE_COUNT = 25;

/** One table, each row of a pass another series. */
export function manySeries(seriesCount: number): Case {
  return {
    name: "series",
    about: `${seriesCount} series in one table`,
    rowCount: seriesCount,
    bodies: (pass) =>
      batches(seriesCount, BODY_ROW_COUNT, (index) =>
        seriesLine(index, START_SEC + pass * PASS_SEC),
      ),
    queries: {
      count: "SELECT count(*) AS n FROM cpu",
      oneSeries: `SELECT time, usage, n FROM cpu WHERE host = 'host_${Math.floor(seriesCount / 2)}'`,
      groups: "SELECT region, avg(usage) AS mean FROM cpu GROUP BY region",
    },
    checks: (passCount) => [
      {
        text: "SELECT count(*) AS n, count(DISTINCT host) AS hosts, sum(n) AS sum FROM cpu",
        rows: [
          {
            n: seriesCount * passCount,
            hosts: seriesCount,
            sum: passCount * ((seriesCount * (seriesCount - 1)) / 2),
          },
        ],
      },
    ],
  };
}

/** Tables of a few rows each; every body has rows of many. */
export function manyTables(tableCount: number): Case {
  const rowCount = tableCount * ROWS_PER_TABLE;
  const middle = Math.floor(tableCount / 2);
  const step = Math.max(1, Math.floor(tableCount / TABLE_SAMPLE_COUNT));
  return {
    name: "tables",
    about: `${tableCount} tables`,
    rowCount,
    bodies: (pass) =>
      batches(rowCount, BODY_ROW_COUNT, (index) => tableLine(index, START_SEC + pass * PASS_SEC)),
    queries: {
      oneTable: `SELECT count(*) AS n, max(usage) AS most FROM table_${middle}`,
      names: "SHOW TABLES",
    },
    checks: (passCount) =>
      Array.from({ length: Math.ceil(tableCount / step) }, (_, index) => {
        const first = index * step * ROWS_PER_TABLE;
        const numbers = ROWS_PER_TABLE * first + (ROWS_PER_TABLE * (ROWS_PER_TABLE - 1)) / 2;
        return {
          text: `SELECT count(*) AS n, sum(n) AS sum FROM table_${index * step}`,
          rows: [{ n: ROWS_PER_TABLE * passCount, sum: passCount * numbers }],
        };
      }),
  };
}

/** One table with as many columns as it may have. */
export function manyColumns(rowCount: number): Case {
  const fieldCount = COLUMN_COUNT - TAG_COUNT - 1;
  const tags = (host: number) =>
    Array.from({ length: TAG_COUNT - 1 }, (_, tag) => `tag_${tag}=v${(host + tag) % 7}`).join(",");
  const hosts = Array.from(
    { length: WIDE_HOST_COUNT },
    (_, host) => `wide,host=host_${host},${tags(host)}`,
  );
  const line = (index: number, second: number) => {
    const fields: string[] = [];
    for (let field = 0; field < fieldCount; field++)
      fields.push(`field_${field}=${((index * 7 + field * 13) % 1_000) / 8}`);
    const at = second + Math.floor(index / WIDE_HOST_COUNT);
    return `${hosts[index % WIDE_HOST_COUNT]} ${fields.join(",")} ${at}000000000`;
  };
  return {
    name: "columns",
    about: `${COLUMN_COUNT} columns, ${rowCount} rows`,
    rowCount,
    bodies: (pass) =>
      batches(rowCount, WIDE_BODY_ROW_COUNT, (index) => line(index, START_SEC + pass * PASS_SEC)),
    queries: {
      count: "SELECT count(*) AS n FROM wide",
      oneColumn: "SELECT host, avg(field_7) AS mean FROM wide GROUP BY host",
      allColumns: "SELECT * FROM wide WHERE host = 'host_7' ORDER BY time DESC LIMIT 10",
    },
    checks: (passCount) => [
      {
        text: "SELECT count(*) AS n, count(field_0) AS first, count(field_488) AS last, count(DISTINCT host) AS hosts FROM wide",
        rows: [
          {
            n: rowCount * passCount,
            first: rowCount * passCount,
            last: rowCount * passCount,
            hosts: WIDE_HOST_COUNT,
          },
        ],
      },
    ],
  };
}

function seriesLine(index: number, second: number): string {
  const tags = `host=host_${index},region=region_${index % 10},rack=r${index % 1_000}`;
  return `cpu,${tags} usage=${index % 100},n=${index}i ${second}000000000`;
}

function tableLine(index: number, second: number): string {
  const row = index % ROWS_PER_TABLE;
  const table = `table_${Math.floor(index / ROWS_PER_TABLE)}`;
  return `${table},host=host_${row} usage=${row},n=${index}i ${second + row}000000000`;
}

/** `count` lines, so many in a body. */
function* batches(count: number, size: number, line: (index: number) => string): Generator<string> {
  for (let first = 0; first < count; first += size) {
    const lines: string[] = [];
    for (let index = first; index < Math.min(count, first + size); index++) lines.push(line(index));
    yield lines.join("\n");
  }
}
