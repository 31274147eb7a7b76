/** What is wrong with a regular expression; undefined for one that is none of RE2's. */
export function checkRegex(pattern: string): string | undefined {
  try {
    const source = pattern.replace(/\(\?P</g, "(?<").replace(/^\(\?[imsU]+\)/, "");
    return new RegExp(source).test("") ? undefined : undefined;
  } catch {
    return `missing closing ): \`${pattern}\``;
  }
}
