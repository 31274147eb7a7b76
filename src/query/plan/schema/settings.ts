/** What `SHOW ALL` tells: those settings of DataFusion that say how statements are understood here. They cannot be set. */
export const SETTINGS: readonly (readonly [string, string, string])[] = [
  ["datafusion.catalog.default_catalog", "public", "The catalog of names without one"],
  ["datafusion.catalog.default_schema", "iox", "The schema of names without one"],
  ["datafusion.catalog.information_schema", "true", "Whether there is information_schema"],
  ["datafusion.execution.time_zone", "+00:00", "The time zone of now() and of texts without one"],
  ["datafusion.sql_parser.dialect", "generic", "The dialect of statements"],
  [
    "datafusion.sql_parser.enable_ident_normalization",
    "true",
    "Whether names without quotes are taken in lower case",
  ],
  [
    "datafusion.sql_parser.parse_float_as_decimal",
    "false",
    "Whether numbers with a point are decimals",
  ],
];
