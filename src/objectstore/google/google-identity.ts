import { GoogleAuth, JWT } from "google-auth-library";
import { DbError, describeError } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import { loadStoreFile, storeFileUnusable } from "../cloud/tls.ts";

/** Signs requests, as headers to send along. */
export type GoogleIdentity = (url: URL) => Promise<Readonly<Record<string, string>>>;

const OPTION = "--google-service-account";
const TOKENS = {
  scopes: "https://www.googleapis.com/auth/devstorage.read_write",
  transporterOptions: { timeout: 10_000 },
};

const FILE = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    type: v.literal("service_account"),
    client_email: v.pipe(v.string(), v.nonEmpty()),
    private_key: v.pipe(v.string(), v.nonEmpty()),
    private_key_id: v.optional(v.string()),
  }),
);

/** Nobody: for emulators. */
export const noIdentity: GoogleIdentity = async () => ({});

/**
 * The service account in the JSON file at `path`; without one who Google's own programs would be: the file that
 * `GOOGLE_APPLICATION_CREDENTIALS` names, what `gcloud` was logged in as, or the machine. Rejects with `invalid` / `store_file_unusable`.
 */
export async function openGoogleIdentity(path: string | undefined): Promise<GoogleIdentity> {
  const client =
    path === undefined
      ? new GoogleAuth({ ...TOKENS, clientOptions: TOKENS })
      : await openServiceAccount(path);
  return async (url) => {
    try {
      return Object.fromEntries(await client.getRequestHeaders(url));
    } catch (error) {
      throw identityError(error);
    }
  };
}

async function openServiceAccount(path: string): Promise<JWT> {
  const read = v.safeParse(FILE, await loadStoreFile(path, OPTION));
  if (!read.success) {
    const [issue] = read.issues;
    const field = v.getDotPath(issue);
    const reason = `it holds no service account: ${field === null ? "" : `${field}: `}${issue.message}`;
    throw storeFileUnusable(OPTION, reason);
  }
  const { client_email: email, private_key: key, private_key_id: keyId } = read.output;
  return new JWT({ ...TOKENS, email, key, ...(keyId !== undefined && { keyId }) });
}

/** What leaves open who asks: nobody could be asked who that is. */
const PASSING_CODES: ReadonlySet<unknown> = new Set([
  "AbortError",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  "TimeoutError",
]);

function identityError(error: unknown): DbError {
  const options = { cause: error };
  const reason = `Google gives no token for the object store (${describeError(error)})`;
  if (isPassing(error)) {
    return new DbError("unavailable", "store_unreachable", `${reason}.`, options);
  }
  const message = `${reason}: check the file of ${OPTION}, or set GOOGLE_APPLICATION_CREDENTIALS; check this machine's clock, too.`;
  return new DbError("unavailable", "store_denied", message, options);
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status = "status" in error ? Number(error.status) : 0;
  return status === 429 || status >= 500 || ("code" in error && PASSING_CODES.has(error.code));
}
