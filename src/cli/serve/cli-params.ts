import type { Settings } from "../options.ts";

/** Words in the names of options whose values are nobody's business. */
const SECRET_NAME = /secret|token|password|credential|key|jwt|oauth|licen[sc]e/;
/** A URL that carries a name and a password. */
const SECRET_VALUE = /\/\/[^/\s]*@/;
const VALUE_SIZE_MAX = 1_000;

/** The options that the user gave, as `show nodes` tells them: JSON, without secret ones; long values are cut. */
export function cliParams(settings: Settings): string {
  const open = [...settings.given()].filter(
    ([name, value]) => !SECRET_NAME.test(name) && !SECRET_VALUE.test(value),
  );
  return JSON.stringify(
    Object.fromEntries(open.map(([name, value]) => [name, value.slice(0, VALUE_SIZE_MAX)])),
  );
}
