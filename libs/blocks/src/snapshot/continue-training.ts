import { StateMismatch } from '@longrun/serialization';

import type { RunOptions, RunOutcome } from '../main-loop/main-loop-options.js';
import type { MainLoop } from '../main-loop/main-loop.js';
import { restoreSnapshot } from './snapshot.js';
import { newestWholeSnapshot } from './snapshot-folder.js';

/**
 * Goes on with training from the newest snapshot that is whole of those that `Checkpoint` left in a folder (Blocks: `continue_training`). A snapshot has no code: the main
 * loop is built by the program that saved it.
 *
 * @returns how it ended
 * @throws StateMismatch where there is no snapshot, or it is not one of such a main loop; what `run()` throws
 */
export async function continueTraining(
  mainLoop: MainLoop,
  folder: string,
  options: RunOptions = {},
): Promise<RunOutcome> {
  const { whole, damaged } = await newestWholeSnapshot(folder);
  const reasons = damaged.map((one) => `${one.folder}: ${one.reason}`).join('; ');
  if (whole === undefined)
    throw new StateMismatch(
      `${folder} has no snapshot to go on from${reasons === '' ? '' : ` (${reasons})`}; name the folder of a Checkpoint`,
    );
  if (reasons !== '')
    process.emitWarning(`Training goes on from ${whole}, as newer ones are damaged: ${reasons}`, 'SnapshotWarning');
  await restoreSnapshot(mainLoop, whole);
  return await mainLoop.run(options);
}
