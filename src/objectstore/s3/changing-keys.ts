import type { S3Keys } from "../cloud/config.ts";

/** Keys that somebody replaces while the store is in use. */
export interface ChangingKeys {
  /** The keys to sign with now. */
  keys(): Promise<S3Keys>;
  /** Whether there are other keys by now than those that the store denied; looks for them, at most once a second. */
  hasOtherThan(denied: S3Keys): Promise<boolean>;
}

export function equalKeys(left: S3Keys, right: S3Keys): boolean {
  return (
    left.accessKeyId === right.accessKeyId &&
    left.secretAccessKey === right.secretAccessKey &&
    left.sessionToken === right.sessionToken
  );
}
