import { DiskFailed } from '../disk-error.js';

/** There is no room for what is to be written. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull';

  constructor(prefix: string, url: string, cause: unknown) {
    const reason = cause instanceof DiskFailed ? cause.reason : cause instanceof Error ? cause.message : String(cause);
    super(
      `checkpoints of ${prefix}: there is no room in ${url} (${reason}), also after what nobody needs was removed; free some there or ` +
        `keep fewer checkpoints; those that there are stay as they were`,
      { cause },
    );
  }
}
