/** What months, days and halves of a day are called in texts of times. */
export const MONTH_NAMES: readonly string[] =
  "January February March April May June July August September October November December".split(
    " ",
  );
/** From Sunday. */
export const WEEKDAY_NAMES: readonly string[] =
  "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
export const SHORT_LENGTH = 3;
