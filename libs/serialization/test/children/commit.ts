import { writeSync } from 'node:fs';
import path from 'node:path';

import { acquireLease, armFaultPoints, CheckpointStore, openObjectStore } from '../../src/index.js';
import { contentsAt } from '../contents-at.js';
import { rowsAt, writeLogFile } from '../log-of.js';
import { writeSnapshotFiles } from '../snapshot-folder.js';

// A worker: takes the lease, restores the newest checkpoint, and commits step after step until it is killed, by itself where its
// environment says so, or to a last one, which ends the run. Writes a line for each step that is acknowledged.
armFaultPoints(process.env, () => undefined);
const [url = '', prefix = '', fence = '', folder = '', last = 'Infinity'] = process.argv.slice(2);
const store = await openObjectStore(url);
const lease = await acquireLease(store, prefix, { fence: Number(fence), holder: `child-${process.pid}` });
const checkpoints = new CheckpointStore(store, prefix, { keepLast: 2 });
const restored = await checkpoints.newestValid(path.join(folder, 'restored'));
if (restored.rejected.length > 0) throw new Error(`rejected: ${JSON.stringify(restored.rejected)}`);

for (let step = (restored.manifest?.step ?? 0) + 1; step <= Number(last); step += 1) {
  const log = await writeLogFile(folder, `rows-${step}`, rowsAt(step));
  const snapshot = { ...(await writeSnapshotFiles(folder, step, contentsAt(step))), log };
  await checkpoints.commit(lease, snapshot, step === Number(last) ? { outcome: 'done' } : {});
  writeSync(1, `${step}\n`);
}
