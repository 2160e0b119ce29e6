import { join } from 'node:path';
import { trainerEnvironment } from '@longrun/platform/processes';
import { Contestant } from '../contestant.js';
import { convertedFashionMnist } from '../fashion-mnist.js';
import { pythonRemedy, pythonWith } from '../python.js';
import { checkout, machine, plainRow, ratioRow, type Report } from '../report.js';

/** Steps in a block, and blocks of each contestant, in turn. */
const BLOCK_STEPS = 100;
const BLOCKS = 11;
const WARM_UP_STEPS = 100;
const THREADS = 2;
const BATCH_SIZE = 128;
const LEARNING_RATE = 0.002;

/**
 * The MLP 784-500-500-10 with Adam at batch 128, through the whole stack (HDF5 dataset, shuffled stream, transformers,
 * main loop, a log row per batch), beside the same loop in PyTorch on the same file, blocks of steps in turn.
 */
export async function mlpStep(): Promise<Report> {
  const python = pythonWithTorch();
  const dataset = await convertedFashionMnist();
  const settings = [
    '--dataset',
    dataset,
    '--threads',
    String(THREADS),
    '--batch-size',
    String(BATCH_SIZE),
    '--learning-rate',
    String(LEARNING_RATE),
  ];
  const peer = join(checkout, 'bench/peers/mlp_step.py');
  // As a worker's trainers have it, and both.
  const memory = trainerEnvironment({});
  const environment = { ...memory, OMP_NUM_THREADS: String(THREADS) };
  const program = join(checkout, 'bench/dist/mlp-step/ours.js');

  const ours = await Contestant.start('longrun', process.execPath, [program, ...settings], memory);
  const torch = await Contestant.start('PyTorch', python, [peer, ...settings], environment);
  const fused = await Contestant.start('PyTorch, fused Adam', python, [peer, ...settings, '--fused'], environment);
  const contestants = [ours.contestant, torch.contestant, fused.contestant];
  try {
    for (const contestant of contestants) await contestant.run(WARM_UP_STEPS);
    const times = new Map(contestants.map((contestant) => [contestant, [] as number[]]));
    for (let block = 0; block < BLOCKS; block += 1) {
      for (const contestant of contestants) times.get(contestant)?.push(await contestant.run(BLOCK_STEPS));
    }
    const of = (contestant: Contestant): readonly number[] => times.get(contestant) ?? [];
    return {
      machine: machine(),
      versions: { torch: String(torch.hello['torch']), onnxruntime: String(ours.hello['onnxruntime']) },
      rows: [
        ratioRow(
          'MLP step, whole stack; peer: PyTorch, fused Adam',
          'ms',
          of(ours.contestant),
          of(fused.contestant),
          0.8,
        ),
        plainRow('MLP step, whole stack; peer: PyTorch, Adam', 'ms', of(ours.contestant), of(torch.contestant)),
      ],
    };
  } finally {
    for (const contestant of contestants) contestant.stop();
  }
}

function pythonWithTorch(): string {
  const python = pythonWith(['torch', 'h5py']);
  if (python !== undefined) return python;
  throw new Error(`This benchmark needs a Python with torch and h5py: ${pythonRemedy(['torch', 'h5py', 'numpy'])}.`);
}
