import type { CheckpointFinding, CheckpointVerification } from '@longrun/contracts';
import { type CheckpointReader, Verification, type Verified } from '@longrun/serialization';

/**
 * Reads every byte of checkpoints and says what was found of each.
 *
 * @param which As of `CheckpointReader.read`; undefined: every checkpoint that the head names, and the log that it keeps beside them
 * @throws as `Verification.checkpoint`
 */
export async function* checkpointFindings(
  reader: CheckpointReader,
  which: string | undefined,
): AsyncGenerator<CheckpointFinding> {
  const verification = new Verification(reader);
  if (which !== undefined) {
    const { step, ...found } = await verification.checkpoint(which);
    yield { step, ...finding(found) };
    return;
  }
  for await (const found of verification.all()) {
    yield 'isRemoved' in found ? found : { step: found.step, ...finding(found) };
  }
  const log = await verification.runLog();
  if (log !== undefined) yield finding({ name: 'log after the last checkpoint', ...log });
}

/** All findings, and whether nothing is damaged. */
export function verificationOf(findings: readonly CheckpointFinding[]): CheckpointVerification {
  const ok = findings.every((each) => 'isRemoved' in each || each.damage.length === 0);
  return { ok, checkpoints: [...findings] };
}

function finding({ name, objects, sizeBytes, damage }: Verified & { readonly name: string }) {
  return { name, objects, sizeBytes, damage: damage.map((each) => ({ ...each })) };
}
