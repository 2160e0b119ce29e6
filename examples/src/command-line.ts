import { computeTarget, EngineUnavailable, type ComputeOptions, type ComputeTarget } from '@longrun/tensor';
import path from 'node:path';

/** What is to be run, and how. */
export interface CommandLine {
  readonly program: string;
  /** HDF5 files, by role. */
  readonly datasets: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly target: ComputeTarget;
  /** Folder to save to and to go on from; undefined for none. */
  readonly checkpoints: string | undefined;
  readonly everyBatches: number;
  /** Folder for the files that the program writes. */
  readonly outputs: string;
}

/** A command line that cannot be understood: the user's error. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const USAGE = `Usage: node examples/dist/run-local.js PROGRAM --dataset FILE [options] [--PARAM VALUE ...]

  --dataset FILE       an HDF5 file to train on; ROLE=FILE for one of another role,
                       such as valid=other.hdf5, as often as there are datasets
  --seed N             default 1
  --engine NAME        onnxruntime (default), tfjs or reference
  --provider NAME      what the engine computes with, such as cpu; default the
                       first that this machine has
  --device N           which device of the provider, default 0
  --threads N          default 2
  --checkpoints FOLDER save there, and go on from the newest snapshot there
  --every-batches N    between two snapshots, default 100
  --outputs FOLDER     for files that the program writes, default outputs in the folder
                       of the checkpoints, else outputs here

Every other option is a param of the program, its value JSON or text: --epochs 1 --dims "[784, 100, 10]"`;

/** Reads a command line. @throws UsageError */
export function readCommandLine(args: readonly string[]): CommandLine {
  const [program, ...rest] = args;
  if (program === undefined || program.startsWith('-')) throw new UsageError(USAGE);
  const options = new Map<string, string>();
  const datasets = new Map<string, string>();
  for (let at = 0; at < rest.length; at += 2) {
    const option = rest[at] ?? '';
    const value = rest[at + 1];
    if (!option.startsWith('--') || value === undefined) {
      throw new UsageError(`${option} is not an option with a value\n\n${USAGE}`);
    }
    if (option === '--dataset') addDataset(datasets, value);
    else options.set(option.slice(2), value);
  }
  const take = (name: string): string | undefined => {
    const value = options.get(name);
    options.delete(name);
    return value;
  };
  if (datasets.size === 0) throw new UsageError(`--dataset is missing\n\n${USAGE}`);
  const checkpoints = take('checkpoints');
  return {
    program,
    datasets: Object.fromEntries(datasets),
    target: targetFrom({
      engine: take('engine'),
      provider: take('provider'),
      device: whole('device', take('device') ?? '0', 0),
      threads: whole('threads', take('threads') ?? '2', 1),
    }),
    seed: whole('seed', take('seed') ?? '1', 0),
    checkpoints,
    outputs: take('outputs') ?? path.join(checkpoints ?? '.', 'outputs'),
    everyBatches: whole('every-batches', take('every-batches') ?? '100', 1),
    params: Object.fromEntries([...options].map(([name, value]) => [name, jsonOrText(value)])),
  };
}

/** `ROLE=FILE`, or `FILE` for training. A file whose name begins like a role is named with a folder: `./a=b.hdf5`. */
function addDataset(datasets: Map<string, string>, value: string): void {
  const [, role = 'train', file = value] = /^([a-z0-9][a-z0-9_-]{0,31})=(.+)$/s.exec(value) ?? [];
  const other = datasets.get(role);
  if (other !== undefined) {
    throw new UsageError(`--dataset is given twice for the role ${role}, ${other} and ${file}; give one of them`);
  }
  datasets.set(role, file);
}

function targetFrom(options: ComputeOptions): ComputeTarget {
  try {
    return computeTarget(options);
  } catch (error) {
    if (error instanceof EngineUnavailable || error instanceof RangeError)
      throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`--${name} is ${text}; give a whole number of at least ${least}`);
}

function jsonOrText(value: string): unknown {
  try {
    const parsed: unknown = JSON.parse(value);
    return parsed;
  } catch {
    return value;
  }
}
