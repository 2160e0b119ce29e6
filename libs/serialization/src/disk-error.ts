/** Whether an error, or one that led to it, is a local disk's that is full or has failed: another disk may serve. */
export function isDiskError(error: unknown): boolean {
  return hasCode(error, DISK_CODES);
}

/** Whether an error, or one that led to it, says that there is no room. */
export function isDiskFull(error: unknown): boolean {
  return hasCode(error, FULL_CODES);
}

function hasCode(error: unknown, codes: ReadonlySet<string>): boolean {
  const seen = new Set<unknown>();
  for (let one = error; one instanceof Error && !seen.has(one); one = one.cause) {
    if ('code' in one && codes.has(String(one.code))) return true;
    seen.add(one);
  }
  return false;
}

const FULL_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
const DISK_CODES: ReadonlySet<string> = new Set([...FULL_CODES, 'EIO', 'EROFS']);
