import { dirname, join, resolve } from 'node:path';

import { config, type ExperimentProgram, type MainLoop, Outputs, restoreSnapshot, saveSnapshot } from '@longrun/blocks';
import { loadProgram } from '@longrun/blocks/programs';
import { CheckpointPolicy, ExperimentSpec, JsonObject, readValue, wordsOf } from '@longrun/contracts';
import { bundleProgram } from '@longrun/platform/programs';
import { RandomStreams } from '@longrun/serialization';
import { type ComputeOptions, type ComputeTarget, computeTarget, describeTarget } from '@longrun/tensor';

import type { Terminal } from '../../output/terminal.js';
import { applyOverride, parseOverride } from '../../override.js';
import { nameOf } from '../../program-file.js';
import { findInstallation } from '../../stack/installation.js';
import { listenForStop, type StopRequests } from '../stop-requests.js';
import { AbandonedRun } from './abandoned-run.js';
import { datasetFiles, hashesOf } from './dataset-files.js';
import { localExtensions } from './local-extensions.js';
import { ProgressLine } from './progress-line.js';
import { foreseen } from './run-errors.js';
import { UnusableRun } from './run-failed.js';
import { RunFolder } from './run-folder.js';
import { sayResult } from './run-result.js';

/** What a program is trained with. What is left out is as of an experiment that is submitted. */
export interface RunOptions {
  /** `file` or `role=file`. */
  readonly dataset: readonly string[];
  /** `name=value` of parameters, in order. */
  readonly param: readonly string[];
  readonly seed?: number;
  /** The folder of the run. Default: beside the file. */
  readonly checkpoints?: string;
  /** Batches between two checkpoints. */
  readonly everyBatches?: number;
  /** Begin anew. */
  readonly fresh: boolean;
  readonly engine?: string;
  readonly provider?: string;
  readonly device?: number;
  readonly threads?: number;
  /** The result as one line of JSON. */
  readonly json: boolean;
}

/**
 * Trains a program in this process, from its file, and goes on from the newest checkpoint where there is one. The exit code: 0 when training has
 * finished, 130 after Ctrl+C, which commits a checkpoint first; a second one ends the process at once.
 */
export async function run(terminal: Terminal, file: string, options: RunOptions): Promise<number> {
  const requests = listenForStop(terminal);
  // From then on a signal does what it does by itself.
  requests.stop.addEventListener('abort', () => requests.release());
  const line = new ProgressLine(terminal);
  let folder: RunFolder | undefined;
  const left = new AbandonedRun(terminal);
  try {
    const given = readOptions(options);
    const bundle = await bundleProgram(file);
    folder = await RunFolder.open(options.checkpoints ?? join(dirname(resolve(file)), `${nameOf(file)}.longrun`));
    process.env['LONGRUN_COMPILE_CACHE'] ??= folder.compiled;
    // What it throws names its own file and line, not those of its bundle.
    process.setSourceMapsEnabled(true);
    const program = await loadProgram(
      await folder.layOut(bundle, join(findInstallation().root, 'node_modules', '@longrun')),
    );
    const params = readParams(program, given.params, file);
    const { seed } = given;
    const aside = options.fresh ? await folder.moveAside() : undefined;
    if (aside !== undefined) terminal.say(`what an earlier run has left is in ${aside} now`);
    const identity = { programSha256: bundle.sha256, params, seed, datasets: await hashesOf(given.datasets) };
    const checkpoint = await folder.claim(identity, { ...given.policy, say: (text) => terminal.say(text) });
    const { checkpoints } = folder;
    config.defaultSeed = seed;
    const mainLoop = await program.build({
      ...given,
      params,
      random: new RandomStreams(seed),
      extensions: () => localExtensions({ checkpoints, policy: given.policy, line }),
      outputs: await Outputs.open(folder.outputs),
    });
    terminal.say(`${nameOf(file)} trains on ${describeTarget(mainLoop.target)}, in ${folder.path}`);
    if (checkpoint !== undefined) await goOn(mainLoop, checkpoint, terminal);
    return await train(mainLoop, checkpoints, { terminal, line, requests, json: options.json });
  } catch (error) {
    throw foreseen(error);
  } finally {
    left.release();
    line.end();
    requests.release();
    await folder?.close();
  }
}

/** What needs no program to be understood. @throws UnusableRun, InvalidOverride, EngineUnavailable */
function readOptions({ dataset, param, seed, everyBatches, engine, provider, device, threads }: RunOptions) {
  const overrides = param.map((text) => parseOverride(`params.${text}`));
  const { params = {} } = overrides.reduce<Record<string, unknown>>(applyOverride, {});
  return {
    datasets: datasetFiles(dataset),
    params,
    seed: ExperimentSpec.shape.seed.parse(seed),
    policy: CheckpointPolicy.parse({ everyBatches }),
    target: targetOf({ engine, provider, device, threads }),
  };
}

function targetOf(options: ComputeOptions): ComputeTarget {
  try {
    return computeTarget(options);
  } catch (error) {
    if (error instanceof RangeError) throw new UnusableRun(error.message, { cause: error });
    throw error;
  }
}

/** The parameters with their defaults, or what a submission would be told is wrong with them. @throws UnusableRun */
function readParams(program: ExperimentProgram, given: unknown, file: string): JsonObject {
  const read = readValue(program.params, given);
  if (read.ok) return JsonObject.parse(read.value);
  const errors = read.faults.map((fault) => ({
    place: ['params', ...fault.path].join('.'),
    ...wordsOf(fault, 'the parameters'),
  }));
  throw new UnusableRun(`${file} does not take these parameters`, { errors });
}

async function goOn(mainLoop: MainLoop, checkpoint: string, terminal: Terminal): Promise<void> {
  const { step, environmentChanged } = await restoreSnapshot(mainLoop, checkpoint);
  terminal.say(`it goes on at step ${step}`);
  if (environmentChanged.length > 0) terminal.say(`the last bits may differ: ${environmentChanged.join('; ')}`);
}

interface Training {
  readonly terminal: Terminal;
  readonly line: ProgressLine;
  readonly requests: StopRequests;
  readonly json: boolean;
}

async function train(
  mainLoop: MainLoop,
  checkpoints: string,
  { terminal, line, requests, json }: Training,
): Promise<number> {
  const outcome = await mainLoop.run({ signal: requests.stop });
  line.end();
  if (outcome === 'finished') {
    await sayResult(mainLoop, checkpoints, terminal, { json });
    return 0;
  }
  const { step } = await saveSnapshot(mainLoop, checkpoints);
  terminal.say(`stopped at step ${step}, with a checkpoint; the same command goes on from there`);
  return requests.exitCode();
}
