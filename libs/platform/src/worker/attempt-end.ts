import { mkdir } from 'node:fs/promises';

import { type ReasonCode, storableText } from '@longrun/contracts';
import { isDiskError, LeaseLost } from '@longrun/serialization';

import type { Attempt, AttemptEnd, Work } from './attempt.js';
import { removeTree } from './remove-tree.js';
import { ForeignStore, StorageFailed, withStorageRetries } from './storage-retries.js';

/** Has the work done in a scratch folder of its own, and resolves with how it ended, whatever was thrown. */
export async function endOfWork(work: Work, { scratchFolder }: Attempt): Promise<AttemptEnd> {
  try {
    const what = `make the folder ${scratchFolder}`;
    await withStorageRetries(async () => await mkdir(scratchFolder, { recursive: true }), { what });
    return storableEnd(await work.run());
  } catch (error) {
    return storableEnd(endOfError(error));
  }
}

/** What an error means that ended an attempt. */
export function endOfError(error: unknown): AttemptEnd {
  if (error instanceof LeaseLost) return { reason: 'lease_lost', message: error.message };
  if (error instanceof ForeignStore || (error instanceof Error && isDiskError(error)))
    return { reason: 'worker_disk', message: error.message };
  if (error instanceof StorageFailed) return { reason: 'storage_error', message: error.message };
  return { reason: 'internal_error', message: describe(error) };
}

/** True for reasons for which a disk, an engine or a device can be to blame as well as what it was asked to do. */
export function mayBeTheWorkers(reason: ReasonCode): boolean {
  return MAY_BE_THE_WORKERS.has(reason);
}

/** The end of an attempt that failed in a worker which is not fit. */
export function endOfUnfit(fault: string, { reason, message }: AttemptEnd): AttemptEnd {
  const ended = message === undefined ? reason : `${reason}: ${message}`;
  return storableEnd({ reason: 'worker_unfit', message: `${fault}. The attempt had ended with ${ended}` });
}

/** Deletes what an attempt has on the local disk, and says what cannot be deleted. */
export async function discardScratch(attempt: Attempt): Promise<void> {
  const left = await removeTree(attempt.scratchFolder);
  if (left !== undefined) attempt.report(left);
}

const MAY_BE_THE_WORKERS: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'storage_error',
  'worker_disk',
  'internal_error',
  'program_error',
  'checkpoint_unreadable',
  'stalled',
]);

/** A message can hold what a program threw: whatever its length, and characters that PostgreSQL does not take. */
function storableEnd(end: AttemptEnd): AttemptEnd {
  if (end.message === undefined) return end;
  const text =
    end.message.length <= LONGEST_MESSAGE ? end.message : `${end.message.slice(0, LONGEST_MESSAGE)} [cut here]`;
  return { ...end, message: storableText(text) };
}

const LONGEST_MESSAGE = 16_384;

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
