import { ParentLink } from './parent-link.js';

/** Exit code of a check that failed: the last line on standard error is the reason. */
export const CHECK_FAILED = 3;

/**
 * The whole of a module that a worker runs as its check: ends the process with 0 when the check resolves, else with
 * {@link CHECK_FAILED}.
 */
export async function runCheck(check: () => Promise<void>): Promise<never> {
  const parent = new ParentLink(() => {});
  try {
    await check();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${reason.replaceAll(/\s+/g, ' ').trim()}\n`);
    process.exit(CHECK_FAILED);
  }
  parent.leaveIfOrphaned();
  process.exit(0);
}
