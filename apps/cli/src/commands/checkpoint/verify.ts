import type { CheckpointFinding } from '@longrun/contracts';
import { verificationOf } from '@longrun/platform/checkpoints';

import { size } from '../../output/amounts.js';
import type { Terminal } from '../../output/terminal.js';
import { type CheckpointPlace, reading } from './reading.js';

/**
 * Reads every byte of checkpoints and says what is damaged. Gives the exit code: 1 if anything is.
 *
 * @param checkpoint undefined: every checkpoint that the head names, and the log that it keeps
 */
export async function verifyCheckpoints(
  terminal: Terminal,
  checkpoint: string | undefined,
  options: CheckpointPlace & { readonly json: boolean },
): Promise<0 | 1> {
  const findings: CheckpointFinding[] = [];
  await reading(options, async (source) => {
    for await (const finding of source.verify(checkpoint)) {
      findings.push(finding);
      if (!options.json) terminal.print(findingText(finding, terminal));
    }
  });
  const verification = verificationOf(findings);
  if (options.json) terminal.printJson(verification, 2);
  return verification.ok ? 0 : 1;
}

function findingText(finding: CheckpointFinding, terminal: Terminal): string {
  if ('isRemoved' in finding) return `${terminal.style('yellow', '!')} ${finding.name}  was removed meanwhile`;
  const { name, objects, sizeBytes, damage } = finding;
  const facts = `${objects} objects, ${size(sizeBytes)}`;
  if (damage.length === 0) return `${terminal.style('green', '✓')} ${name}  ${facts}, all whole`;
  return [
    `${terminal.style('red', '✗')} ${name}  ${facts}, ${damage.length} damaged`,
    ...damage.map(({ reason, isLost }) => `    ${reason}${isLost ? '' : '; another copy is whole'}`),
  ].join('\n');
}
