/** A local disk did not do what it was to do, and what that was: the system's own errors name neither. */
export class DiskFailed extends Error {
  override readonly name = 'DiskFailed';

  /** As the system has it: `ENOSPC`, `EIO`. */
  readonly code: string;
  /** What the system said. */
  readonly reason: string;

  constructor(what: string, code: string, reason: string) {
    super(`${what} (${reason}); ${REMEDIES[code] ?? 'see what is wrong with that disk'}`);
    this.code = code;
    this.reason = reason;
  }
}

/**
 * Does something on a local disk, and says what, where the disk fails.
 *
 * @param what A sentence's beginning, as `file x could not be written`
 * @throws DiskFailed; what else `work` throws, and what names its place already
 */
export async function onDisk<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw namingDisk(what, error);
  }
}

/** As {@link onDisk}, of an error that was caught. */
export function namingDisk(what: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DiskFailed || !('code' in error)) return error;
  const code = String(error.code);
  return code in REMEDIES ? new DiskFailed(what, code, error.message) : error;
}

/** Whether an error, or one that led to it, is a local disk's that is full or has failed: another disk may serve. */
export function isDiskError(error: unknown): boolean {
  return hasCode(error, (code) => code in REMEDIES);
}

/** Whether an error, or one that led to it, says that there is no room. */
export function isDiskFull(error: unknown): boolean {
  return hasCode(error, (code) => FULL_CODES.has(code));
}

function hasCode(error: unknown, isMeant: (code: string) => boolean): boolean {
  const seen = new Set<unknown>();
  for (let one = error; one instanceof Error && !seen.has(one); one = one.cause) {
    if ('code' in one && isMeant(String(one.code))) return true;
    seen.add(one);
  }
  return false;
}

const FULL_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** What to do about each error of a disk. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'free some room there',
  EDQUOT: 'free some room there, or have the quota raised',
  EIO: 'that disk fails: see what the kernel says of it, and replace it',
  EROFS: 'mount it so that it can be written, or see why it no longer is',
};
