// Trains a program as a trainer does, until it kills itself: `node killed-training.mjs <json>`, see `Killed` in ../killed-run.ts.
import { appendFileSync } from 'node:fs';

import { Checkpoint, loadProgram, Outputs, Reporting, TrainingExtension } from '@longrun/blocks';
import { RandomStreams } from '@longrun/serialization';
import { computeTarget } from '@longrun/tensor';

const {
  program: file,
  params,
  seed,
  datasets,
  rows,
  outputs,
  checkpoints,
  everyBatches,
  killAt,
} = JSON.parse(process.argv[2]);

class Death extends TrainingExtension {
  afterBatch() {
    if (this.mainLoop.status.iterationsDone === killAt) process.kill(process.pid, 'SIGKILL');
  }
}

const program = await loadProgram(file);
const mainLoop = await program.build({
  params,
  seed,
  random: new RandomStreams(seed),
  datasets,
  target: computeTarget({ threads: 1 }),
  extensions: () => [
    new Reporting({ onLogRow: (step, row) => appendFileSync(rows, `${JSON.stringify([step, row])}\n`) }),
    new Checkpoint({ folder: checkpoints, everyNBatches: everyBatches, logRecord: null }),
    new Death(),
  ],
  outputs: await Outputs.open(outputs),
});
await mainLoop.run();
