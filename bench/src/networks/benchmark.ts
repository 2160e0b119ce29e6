import { loadavg } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@longrun/serialization';
import { at } from '@longrun/tensor';
import { Contestant } from '../contestant.js';
import { pythonRemedy, pythonWith } from '../python.js';
import { checkout, machine, median, plainRow, ratioRow, type Report, type Row, versionOf } from '../report.js';
import { withScratchFolder } from '../scratch-folder.js';
import { kernelRows, type KernelTimes, kernelTimes } from '../tensor/profiling.js';
import { environment, type Setting, type Trained, training } from '../tensor/training.js';
import { beginning, type Network } from './network.js';
import { NETWORKS } from './networks.js';

const OURS = 'longrun';

/**
 * Training steps of networks of several kinds as one compiled function each, beside the same in PyTorch, from the same parameters on the same batches.
 *
 * @param mostSteps in a block: fewer for a look
 */
export async function networks(mostSteps = Infinity): Promise<Report> {
  const modules = ['torch', 'safetensors'];
  const python = pythonWith(modules);
  if (python === undefined) {
    throw new Error(`This benchmark needs a Python with ${modules.join(' and ')}: ${pythonRemedy(modules)}.`);
  }
  return await withScratchFolder(async (folder) => {
    const rows: Row[] = [];
    const samples: Record<string, unknown> = {};
    let version = '';
    for (const network of NETWORKS) {
      const start = join(folder, `${network.name}.safetensors`);
      await writeSafetensors(start, beginning(network));
      const { trained, torch } = await training(
        (setting) => begin(python, network, start, setting),
        settingsOf(network),
        Math.min(network.steps, mostSteps),
      );
      version = torch;
      const kernels = await kernelTimes(
        () => begin(python, network, start, best(trained, true)),
        Math.min(network.steps, mostSteps),
      );
      rows.push(...rowsOf(network, trained), ...kernelRowsOf(network, trained, kernels));
      samples[`${network.name}, steps, ms`] = trained;
      samples[`${network.name}, kernels of a step, ms`] = kernels;
    }
    return {
      machine: machine(),
      load: loadavg().map((load) => Math.round(load * 10) / 10),
      versions: { torch: version, onnxruntime: versionOf('onnxruntime-node') },
      rows,
      samples,
    };
  });
}

/** Both sides with the memory of trainers, which is faster for both. */
function settingsOf({ peers }: Network): Setting[] {
  const programs = [OURS, ...peers.map((variant) => `PyTorch, ${variant}`)];
  return [2, 1].flatMap((threads) => programs.map((program) => ({ program, threads, isTuned: true })));
}

async function begin(
  python: string,
  { name }: Network,
  start: string,
  setting: Setting,
): ReturnType<typeof Contestant.start> {
  const { program, threads } = setting;
  const args = ['--network', name, '--start', start, '--threads', String(threads)];
  const env = { ...environment(setting), OMP_NUM_THREADS: String(threads) };
  if (program === OURS) {
    const script = join(checkout, 'bench/dist/networks/ours.js');
    return await Contestant.start(program, process.execPath, [script, ...args], env);
  }
  args.push('--variant', program.slice('PyTorch, '.length));
  return await Contestant.start(program, python, [join(checkout, 'bench/peers/networks.py'), ...args], env);
}

/** The best of each side, which has the goal, and all peers beside ours on as many threads. */
function rowsOf({ what, goal }: Network, trained: readonly Trained[]): Row[] {
  const [ours, theirs] = [best(trained, true), best(trained, false)];
  const beside = trained
    .filter(({ program }) => program !== OURS)
    .map((peer) => {
      const same = trained.find(({ program, threads }) => program === OURS && threads === peer.threads) ?? ours;
      return plainRow(`${what}, ${named(same)}; peer: ${named(peer)}`, 'ms', same.ms, peer.ms);
    });
  return [ratioRow(`${what}: ${named(ours)}; peer: ${named(theirs)}`, 'ms', ours.ms, theirs.ms, goal), ...beside];
}

/** How much of the step of the best peer our best one's products take by themselves. */
function kernelRowsOf({ what }: Network, trained: readonly Trained[], times: KernelTimes): Row[] {
  const [ours, theirs] = [best(trained, true), best(trained, false)];
  const names = { step: what, setting: named(ours), products: 'its products of matrices and convolutions' };
  // An embedding has none.
  return kernelRows(names, times, { name: named(theirs), ms: theirs.ms }).filter(({ value }) => value > 0);
}

function best(trained: readonly Trained[], isOurs: boolean): Trained {
  const side = trained.filter(({ program }) => (program === OURS) === isOurs);
  return at(
    side.toSorted((a, b) => median(a.ms) - median(b.ms)),
    0,
  );
}

function named({ program, threads }: Trained): string {
  return `${program}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
