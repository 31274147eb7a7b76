import { type Builder, named } from "./builder.ts";
import { dateBin, dateBinWallClock, dateTrunc } from "./times/bins.ts";
import {
  currentDate,
  currentTime,
  fromUnixTime,
  makeDate,
  now,
  toDate,
  toTimestamp,
  toUnixTime,
} from "./times/make.ts";
import { datePart, toText } from "./times/parts.ts";
import { arrowCast, arrowTypeOf, inZone, localTime } from "./times/zones.ts";

/** The functions of SQL about times, intervals and types, by name. */
export const TIME_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...named("now current_timestamp", now),
  ...named("current_date today", currentDate),
  ...named("current_time", currentTime),
  ...named("date_bin", dateBin),
  ...named("date_bin_wallclock", dateBinWallClock),
  ...named("date_trunc datetrunc", dateTrunc),
  ...named("date_part datepart", datePart),
  ...named("to_char date_format", toText),
  ...named("make_date", makeDate),
  ...named("to_date", toDate),
  ...named("to_timestamp to_timestamp_nanos", toTimestamp("nanosecond")),
  ...named("to_timestamp_micros", toTimestamp("microsecond")),
  ...named("to_timestamp_millis", toTimestamp("millisecond")),
  ...named("to_timestamp_seconds", toTimestamp("second")),
  ...named("from_unixtime", fromUnixTime),
  ...named("to_unixtime", toUnixTime),
  ...named("tz", inZone),
  ...named("to_local_time", localTime),
  ...named("arrow_cast", arrowCast),
  ...named("arrow_typeof", arrowTypeOf),
};
