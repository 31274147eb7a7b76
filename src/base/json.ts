/** JSON as clients write it. */

/** Longer ones are beyond 64 bits, and would cost more the longer they are. */
const WHOLE_NUMBER = /^-?\d{1,20}$/;
const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

/** The value that `text` spells; whole numbers of 64 bits are bigint, others number. Throws as JSON.parse does. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, exactNumbers);
}

/** A reviver. JSON.parse alone would round whole numbers above 2⁵³; engines give the source of a number as third argument. */
function exactNumbers(
  _name: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined || !WHOLE_NUMBER.test(source)) return value;
  if (source === "-0") return value;
  const whole = BigInt(source);
  return whole >= INT64_MIN && whole <= UINT64_MAX ? whole : value;
}
