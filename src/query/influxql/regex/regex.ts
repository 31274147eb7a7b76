/** Regular expressions of InfluxQL, which are RE2's: whether they find something in a text. */
import { refused } from "../check/errors.ts";
import { Automaton } from "./automaton.ts";
import { parseRegex } from "./parse.ts";
import { programOf } from "./program.ts";

/**
 * Tells whether `pattern` finds something in a text, in a time that is linear in the text's length whatever the pattern: nothing goes back.
 *
 * Throws `invalid` / `influxql_refused` where the pattern is too large.
 */
export function regexTest(pattern: string): (text: string) => boolean {
  const node = parseRegex(pattern);
  const program = node === undefined ? undefined : programOf(node);
  if (program === undefined) {
    const shown = pattern.length > 100 ? `${pattern.slice(0, 100)}…` : pattern;
    throw refused(
      `the regular expression /${shown}/ is too large: nest and repeat less, or list fewer characters`,
    );
  }
  const automaton = new Automaton(program);
  return (text) => automaton.finds(text);
}
