/** Functions that InfluxDB 3 has and this database does not yet: they are refused as not built, not as unknown. */
const UNBUILT = new Set(
  (
    "acos acosh asin asinh atan atanh atan2 cosh cot degrees factorial gcd isnan iszero lcm nanvl radians random " +
    "sinh tanh ascii bit_length chr concat_ws contains find_in_set initcap levenshtein lpad octet_length overlay " +
    "rpad split_part substr_index substring_index to_hex translate uuid regexp_count regexp_match " +
    "regexp_replace regexp_instr encode decode digest md5 sha224 sha256 sha384 sha512 " +
    "version"
  ).split(" "),
);

export function isUnbuiltFunction(name: string): boolean {
  return UNBUILT.has(name);
}
