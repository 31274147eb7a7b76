/** Functions that InfluxDB 3 has and this database does not yet: they are refused as not built, not as unknown. */
const UNBUILT = new Set(
  (
    "acos acosh asin asinh atan atanh atan2 cosh cot degrees factorial gcd isnan iszero lcm nanvl radians random " +
    "sinh tanh ascii bit_length chr concat_ws contains find_in_set initcap levenshtein lpad octet_length overlay " +
    "rpad split_part substr_index substring_index to_hex translate uuid regexp_count regexp_match " +
    "regexp_replace regexp_instr encode decode digest md5 sha224 sha256 sha384 sha512 " +
    "arrow_cast arrow_typeof interpolate locf version current_date today " +
    "current_time date_bin_gapfill date_bin_wallclock date_bin_wallclock_gapfill to_char date_format to_date " +
    "to_local_time tz array_agg bit_and bit_or bit_xor bool_and bool_or nth_value grouping string_agg corr covar " +
    "covar_samp covar_pop regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_syy regr_sxy " +
    "approx_distinct approx_median approx_percentile_cont approx_percentile_cont_with_weight selector_first " +
    "selector_last selector_min selector_max row_number rank dense_rank percent_rank cume_dist ntile lag lead"
  ).split(" "),
);

export function isUnbuiltFunction(name: string): boolean {
  return UNBUILT.has(name);
}
