import { join } from 'node:path';
import { loadavg } from 'node:os';
import { at } from '@longrun/tensor';
import { writeSafetensors } from '@longrun/serialization';
import { pythonRemedy, pythonWith } from '../python.js';
import {
  besideRow,
  boundRow,
  machine,
  median,
  plainRow,
  ratioRow,
  type Report,
  type Row,
  versionOf,
} from '../report.js';
import { withScratchFolder } from '../scratch-folder.js';
import { compiling } from './compiling.js';
import { beginning } from './network.js';
import { kernelRows, kernelTimes } from './profiling.js';
import { beginMlp, beginOurs, type Setting, type Trained, training } from './training.js';

/** In a block. */
const STEPS = 200;
/** Before its kernels are timed, and then while they are. */
const PROFILED_STEPS = 50;

const SETTINGS: readonly Setting[] = [2, 1].flatMap((threads): Setting[] => [
  { program: 'longrun', threads, isTuned: true },
  { program: 'PyTorch, fused Adam', threads, isTuned: true },
  { program: 'PyTorch, Adam', threads, isTuned: true },
  { program: 'longrun', threads, isTuned: false },
  { program: 'PyTorch, fused Adam', threads, isTuned: false },
]);

/**
 * The training step of an MLP 784-500-500-10 with Adam as one compiled function, beside the same in PyTorch from the same parameters on
 * the same batches; what compiling it takes, and what calling takes by itself.
 *
 * @param steps in a block: fewer for a look
 */
export async function tensorSteps(steps = STEPS): Promise<Report> {
  const modules = ['torch', 'safetensors'];
  const python = pythonWith(modules);
  if (python === undefined) {
    throw new Error(`This benchmark needs a Python with ${modules.join(' and ')}: ${pythonRemedy(modules)}.`);
  }
  return await withScratchFolder(async (folder) => {
    const start = join(folder, 'start.safetensors');
    await writeSafetensors(start, beginning());
    const { trained, torch } = await training((setting) => beginMlp(python, start, setting), SETTINGS, steps);
    const [ours, fused] = [best(trained, 'longrun'), best(trained, 'PyTorch, fused Adam')];
    const kernels = await kernelTimes(
      () => beginOurs(start, { threads: ours.threads, isTuned: true }),
      Math.min(PROFILED_STEPS, steps),
    );
    const compiled = await compiling(start, folder);
    return {
      machine: machine(),
      load: loadavg().map((load) => Math.round(load * 10) / 10),
      versions: { torch, onnxruntime: versionOf('onnxruntime-node') },
      rows: [
        ...trainingRows(trained),
        ...kernelRows({ step: 'MLP step', setting: named(ours), products: 'its products of matrices' }, kernels, {
          name: `PyTorch, fused Adam (${named(fused)})`,
          ms: fused.ms,
        }),
        boundRow('compiling it, the first of a process, engine and all', 'ms', compiled.first, null, 1000),
        boundRow('compiling it once more', 'ms', compiled.again, null, 1000),
        boundRow(
          'compiling the step of a transformer, the first of a process, and keeping it',
          'ms',
          compiled.large,
          null,
          1000,
        ),
        boundRow('compile, cached: the same from the disk, by another process', 'ms', compiled.largeCached, null, 100),
        boundRow('an empty call, scalar to scalar; p50', 'us', compiled.emptyCall, null, 50),
      ],
      samples: { 'steps, ms': trained, 'kernels of a step, ms': kernels, compiled },
    };
  });
}

/** The best of each side, which has the goal, and each of ours beside each peer of the same setting. */
function trainingRows(trained: readonly Trained[]): Row[] {
  const [ours, fused] = [best(trained, 'longrun'), best(trained, 'PyTorch, fused Adam')];
  const what = `MLP step, the best of us (${named(ours)}); peer: the best of PyTorch, fused Adam (${named(fused)})`;
  const beside = trained
    .filter(({ program }) => program === 'longrun')
    .flatMap((one) =>
      trained
        .filter(
          ({ program, threads, isTuned }) =>
            program !== 'longrun' && threads === one.threads && isTuned === one.isTuned,
        )
        .map((peer) => plainRow(`MLP step, ${named(one)}; peer: ${peer.program}`, 'ms', one.ms, peer.ms)),
    );
  return [ratioRow(what, 'ms', ours.ms, fused.ms, 0.7), ...ofRounds(ours, fused), ...beside];
}

/** The same in the beginning and in the end, when many units are dead, and what Adam remembers of their weights is denormal. */
function ofRounds(ours: Trained, fused: Trained): Row[] {
  const parts = { first: [0, 2], last: [-2] };
  return Object.entries(parts).map(([part, [from, to]]) =>
    besideRow(
      `MLP step, mean of the ${part} two blocks; peer: PyTorch, fused Adam`,
      'ms',
      mean(ours.ms.slice(from, to)),
      mean(fused.ms.slice(from, to)),
    ),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function best(trained: readonly Trained[], wanted: Setting['program']): Trained {
  return at(
    trained.filter(({ program }) => program === wanted).toSorted((a, b) => median(a.ms) - median(b.ms)),
    0,
  );
}

function named({ threads, isTuned }: Setting): string {
  return `${threads} ${threads === 1 ? 'thread' : 'threads'}, ${isTuned ? 'memory as for trainers' : 'default memory'}`;
}
