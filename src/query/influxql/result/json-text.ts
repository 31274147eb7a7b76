/** Texts and numbers as the JSON of InfluxDB 1 has them, which is safe within HTML. */

const SPECIAL = /["\\<>&\p{Cc}\u2028\u2029]/u;
const SPECIALS = /["\\<>&\p{Cc}\u2028\u2029]/gu;
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

export function jsonText(value: string): string {
  const text = value.isWellFormed() ? value : value.toWellFormed();
  return SPECIAL.test(text) ? `"${text.replace(SPECIALS, escaped)}"` : `"${text}"`;
}

function escaped(character: string): string {
  // Of the control characters, JSON has to escape those below the space alone.
  if (character >= "\u007f" && character < "\u2028") return character;
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A finite float: as few digits as tell it apart; with an exponent from 1e21 on and below 1e-6. */
export function floatText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
