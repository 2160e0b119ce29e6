import { RequestRefused } from '../src/index.js';

/** Code and facts of a refusal. */
export async function refusalOf(asked: Promise<unknown>): Promise<{ readonly code: unknown; readonly facts: unknown }> {
  const error: unknown = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RequestRefused)) throw new Error(`It was not refused: ${String(error)}`);
  return { code: error.faults[0]?.code, facts: error.faults[0]?.facts };
}
