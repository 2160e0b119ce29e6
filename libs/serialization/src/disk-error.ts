/** Whether an error, or one that led to it, is a local disk's that is full or has failed: another disk may serve. */
export function isDiskError(error: unknown): boolean {
  const seen = new Set<unknown>();
  for (let one = error; one instanceof Error && !seen.has(one); one = one.cause) {
    if ('code' in one && DISK_CODES.has(String(one.code))) return true;
    seen.add(one);
  }
  return false;
}

const DISK_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS']);
