export async function runQueries(_: unknown): Promise<string[]> {
  return [];
}
