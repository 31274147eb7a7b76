import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

/**
 * Adds the variables of `folder`/.env to `env`; one that is there already stays as it is.
 * The file may be missing or unreadable, and lines that name no variable are passed over: it may belong to another program.
 */
export function loadDotenv(folder: string, env: Record<string, string | undefined>): void {
  let text: string;
  try {
    text = readFileSync(join(folder, ".env"), "utf8");
  } catch {
    return;
  }
  for (const [name, value] of Object.entries(parseEnv(text))) env[name] ??= value;
}
