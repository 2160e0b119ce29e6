import { ParentLink } from './parent-link.js';

/**
 * The whole of a module that a worker runs as its check: ends the process with 0 when the check resolves, else with 1 and the
 * reason as the last line on standard error.
 */
export async function runCheck(check: () => Promise<void>): Promise<never> {
  new ParentLink(() => {});
  try {
    await check();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${reason.replaceAll(/\s+/g, ' ').trim()}\n`);
    process.exit(1);
  }
  process.exit(0);
}
