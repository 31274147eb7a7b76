/** Functions that InfluxDB 3 has and this database does not yet: they are refused as not built, not as unknown. */
const UNBUILT = new Set("version".split(" "));

export function isUnbuiltFunction(name: string): boolean {
  return UNBUILT.has(name);
}
