/** Which statements give few rows, by what others that look the same gave. */
import { hash } from "node:crypto";

/** Statements of which it is remembered. */
const SHAPE_COUNT_MAX = 1_000;
/** Longer ones are not worth looking at. */
const SQL_LENGTH_MAX = 64 * 1024;
/** What differs between questions asked again: texts, numbers, and how many there are of them. */
const VALUES = /(?:'(?:[^']|'')*'|\d+)(?:, *(?:'(?:[^']|'')*'|\d+))*/g;

/**
 * What is expected of a statement's size where its plan does not tell: dashboards ask the same again with other times. One that has
 * given many rows is never expected to give few: whoever is wrong about it computes it twice.
 */
export class FewRows {
  /** Those used last are last. */
  readonly #few = new Map<string, boolean>();

  /** Whether all that looked like `sql` have given few rows, of at least one. */
  expects(sql: string): boolean {
    return sql.length <= SQL_LENGTH_MAX && this.#few.get(shapeOf(sql)) === true;
  }

  /** `sql` has given few rows, or more. */
  learn(sql: string, few: boolean): void {
    if (sql.length > SQL_LENGTH_MAX) return;
    const shape = shapeOf(sql);
    const known = this.#few.get(shape) ?? true;
    this.#few.delete(shape);
    this.#few.set(shape, known && few);
    const [oldest] = this.#few.keys();
    if (this.#few.size > SHAPE_COUNT_MAX && oldest !== undefined) this.#few.delete(oldest);
  }
}

function shapeOf(sql: string): string {
  return hash("sha1", sql.replaceAll(VALUES, "?"), "base64");
}
