import {
  Checkpoint,
  InvalidParams,
  MissingDataset,
  ForeignFolder,
  loadProgram,
  newestSnapshot,
  Outputs,
  Printing,
  programFiles,
  ProgressBar,
  restoreSnapshot,
  saveSnapshot,
  Timing,
  UnknownProgram,
} from '@longrun/blocks';
import { RandomStreams } from '@longrun/serialization';
import { describeTarget } from '@longrun/tensor';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { readCommandLine, UsageError, type CommandLine } from './command-line.js';

const PROGRAMS = fileURLToPath(new URL('./programs/', import.meta.url));

/** Runs a program here and now, without the platform: `node examples/dist/run-local.js mlp --dataset fashion-mnist.hdf5 --epochs 1`. */
async function run(commandLine: CommandLine): Promise<void> {
  const { params, datasets, seed, target, checkpoints, everyBatches } = commandLine;
  const files = await programFiles(PROGRAMS);
  const module = files.get(commandLine.program);
  if (module === undefined) throw new UnknownProgram(commandLine.program, [...files.keys()]);
  const program = await loadProgram(module);
  const outputs = await Outputs.open(commandLine.outputs);
  const mainLoop = await program.build({
    params,
    seed,
    random: new RandomStreams(seed),
    datasets: Object.fromEntries(Object.entries(datasets).map(([role, file]) => [role, { path: path.resolve(file) }])),
    target,
    extensions: () => [
      new Timing(),
      new Printing(),
      new ProgressBar(),
      ...(checkpoints === undefined ? [] : [new Checkpoint({ folder: checkpoints, everyNBatches: everyBatches })]),
    ],
    outputs,
  });
  console.log(`Trains on ${describeTarget(mainLoop.target)}.`);
  const snapshot = checkpoints === undefined ? undefined : await newestSnapshot(checkpoints);
  if (snapshot !== undefined) {
    const { step, environmentChanged } = await restoreSnapshot(mainLoop, snapshot);
    console.log(`Goes on from ${snapshot}, step ${step}.`);
    if (environmentChanged.length > 0) console.log(`The last bits may differ: ${environmentChanged.join('; ')}.`);
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => mainLoop.requestStop());

  const outcome = await mainLoop.run();
  const { iterationsDone } = mainLoop.status;
  if (outputs.names.length > 0) console.log(`Wrote ${outputs.names.join(', ')} in ${outputs.folder}.`);
  if (outcome === 'finished') {
    console.log(`Finished after ${iterationsDone} steps.`);
    return;
  }
  if (checkpoints === undefined) {
    console.log(`Stopped after ${iterationsDone} steps. With --checkpoints FOLDER the next run would go on from here.`);
    return;
  }
  await saveSnapshot(mainLoop, checkpoints);
  console.log(`Stopped after ${iterationsDone} steps; the same command goes on from here.`);
}

try {
  await run(readCommandLine(process.argv.slice(2)));
} catch (error) {
  const isUsers = [UsageError, InvalidParams, MissingDataset, UnknownProgram, ForeignFolder].some(
    (kind) => error instanceof kind,
  );
  console.error(isUsers && error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
