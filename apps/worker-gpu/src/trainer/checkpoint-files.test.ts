import { OUTPUT_PREFIX, SNAPSHOT_FILES } from '@longrun/blocks';
import { CHECKPOINT_FILES } from '@longrun/contracts';
import { expect, test } from 'vitest';

test('files of checkpoints are asked for under the names that snapshots give them', () => {
  expect(CHECKPOINT_FILES).toEqual({ parameters: SNAPSHOT_FILES.parameters, outputPrefix: OUTPUT_PREFIX });
});
