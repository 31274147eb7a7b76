/** What of a statement is shown to nobody but its sender: passwords, and whom a URL logs in as. */

const HIDDEN = "[REDACTED]";

/** Blanks and comments. Each ends in one place alone, and so do quotes: no text takes long. */
const GAP = String.raw`(?:\s|--[^\n]*(?:\n|$)|/\*(?:(?!\*/)[\s\S])*(?:\*/|$))*`;
/** Quotes that nobody closes hold the rest. */
const QUOTED = String.raw`(?:'(?:\\[\s\S]|[^'\\])*(?:'|\\?$)|"(?:\\[\s\S]|[^"\\])*(?:"|\\?$))+`;
const NAME = String.raw`(?:${QUOTED}|[^\s='"]+)`;
/** The keyword, or a column of this name. */
const PASSWORD = String.raw`(?:(?<=")PASSWORD"|(?<!")\bPASSWORD\b)`;

const OF_USER = String.raw`FOR\b${GAP}${NAME}${GAP}`;
const PASSWORDS = new RegExp(`(${PASSWORD}${GAP}(?:${OF_USER})?=?${GAP})${QUOTED}`, "gi");
/** Where a password must come and none was found, as it stands in no quotes: all that follows. */
const UNQUOTED = new RegExp(
  String.raw`(\bWITH${GAP}PASSWORD\b(?!${GAP}(?:=?${GAP}\[REDACTED\]|AS\b))|\bPASSWORD${GAP}FOR\b(?!${GAP}${NAME}${GAP}=${GAP}\[REDACTED\]))[\s\S]+`,
  "i",
);
/** Also where the text was cut within it. */
const URL_USERS = /(:\/\/)[^\s']*(?:@|(?=…$))/g;

/** `text`, a statement or the beginning of one, cut with `…`, with what is secret in it replaced. Short: it is looked through more than once. */
export function withoutSecrets(text: string): string {
  return text
    .replace(PASSWORDS, `$1${HIDDEN}`)
    .replace(UNQUOTED, `$1 ${HIDDEN}`)
    .replace(URL_USERS, `$1${HIDDEN}@`);
}
