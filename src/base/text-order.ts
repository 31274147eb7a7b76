/** By code point, as UTF-8 orders bytes: `<` goes by UTF-16 unit, and puts U+1F600 below U+FF5E. */
export function compareText(left: string, right: string): number {
  const lengthMin = Math.min(left.length, right.length);
  for (let index = 0; index < lengthMin; index += 1) {
    const one = left.charCodeAt(index);
    const other = right.charCodeAt(index);
    if (one !== other) return unitRank(one) - unitRank(other);
  }
  return left.length - right.length;
}

/** Halves of characters above U+FFFF rank above all other units. */
function unitRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
