import { type RemovedCheckpoint, Verification, type Verified } from '@longrun/serialization';

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
  const findings: Finding[] = [];
  const found = (finding: Finding): void => {
    findings.push(finding);
    if (!options.json) terminal.print(findingText(finding, terminal));
  };
  await reading(options, async (reader) => {
    const verification = new Verification(reader);
    if (checkpoint !== undefined) return found(await verification.checkpoint(checkpoint));
    for await (const each of verification.all()) found(each);
    const log = await verification.runLog();
    if (log !== undefined) found({ name: 'log after the last checkpoint', ...log });
  });
  const ok = findings.every((finding) => 'isRemoved' in finding || finding.damage.length === 0);
  if (options.json) terminal.printJson({ ok, checkpoints: findings }, 2);
  return ok ? 0 : 1;
}

type Finding = (Verified & { readonly name: string }) | RemovedCheckpoint;

function findingText(finding: Finding, terminal: Terminal): string {
  if ('isRemoved' in finding) return `${terminal.style('yellow', '!')} ${finding.name}  was removed meanwhile`;
  const { name, objects, sizeBytes, damage } = finding;
  const facts = `${objects} objects, ${size(sizeBytes)}`;
  if (damage.length === 0) return `${terminal.style('green', '✓')} ${name}  ${facts}, all whole`;
  return [
    `${terminal.style('red', '✗')} ${name}  ${facts}, ${damage.length} damaged`,
    ...damage.map(({ reason, isLost }) => `    ${reason}${isLost ? '' : '; another copy is whole'}`),
  ].join('\n');
}
