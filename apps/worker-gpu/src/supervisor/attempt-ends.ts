import type { ProgramFile, TrainerMessage } from '@longrun/contracts';
import type { AttemptEnd, WallTime } from '@longrun/platform/worker';
import type { NewestValid, RejectedCheckpoint } from '@longrun/serialization';

/** Its wall time is up. */
export function timedOut({ message }: WallTime): AttemptEnd {
  return { reason: 'timed_out', message: `${message}; its last checkpoint is kept.` };
}

/** Whoever looks after the record has not been updated yet, or was since: the next attempt is told it. */
export const NO_MODULE: AttemptEnd = {
  reason: 'worker_unfit',
  message:
    'What is to be done was written by an older build, which names no module of a program: update the API first.',
};

/** Its checkpoint is one of another program than it is to go on with. */
export function otherProgram(of: string, { sha256 }: ProgramFile): AttemptEnd {
  return {
    reason: 'checkpoint_unreadable',
    message: `Its newest checkpoint is one of the program with SHA-256 ${of}, and it was to be gone on from with ${sha256}. Nobody but its own program goes on from it.`,
  };
}

/** There were checkpoints, and none is whole. */
export function isAllDamaged({ manifest, rejected }: NewestValid): boolean {
  return manifest === undefined && rejected.length > 0;
}

/** It has checkpoints of which none can be gone on from. */
export function allDamaged({ rejected }: NewestValid): AttemptEnd {
  const each = rejected.map(({ step, reason }) => `that of step ${step}: ${reason}`).join('; ');
  const what =
    rejected.length === 1 ? 'Its only checkpoint is damaged' : `All its ${rejected.length} checkpoints are damaged`;
  return {
    reason: 'checkpoints_damaged',
    message: `${what} and kept as they are (${each}). To begin anew from the seed, submit it with checkpoint.onAllDamaged: restart.`,
  };
}

/** What its log says of a checkpoint that is damaged. */
export function rejectionLine(rejected: RejectedCheckpoint, found: NewestValid): string {
  const next =
    found.manifest === undefined ? 'None is whole' : `Going on from the checkpoint of step ${found.manifest.step}`;
  return `[longrun] The checkpoint of step ${rejected.step} is damaged: ${rejected.reason}. ${next}.`;
}

/** What a trainer says that cannot go on, with the stack where there is one. */
export function failureMessage(failed: Extract<TrainerMessage, { type: 'failed' }>): string {
  if (failed.stack === undefined) return failed.message;
  // A stack begins with the message already, unless that was put together from several.
  return failed.stack.includes(failed.message) ? failed.stack : `${failed.message}\n${failed.stack}`;
}
