import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from '@longrun/client';
import { type DatasetView, isTerminalDataset } from '@longrun/contracts';

import { splitsText } from '../commands/ls.js';
import { listenForStop, untilAborted } from '../commands/stop-requests.js';
import { sayAddresses, sayStackEvent } from '../commands/up.js';
import { duration, size } from '../output/amounts.js';
import { LiveLines } from '../output/live-lines.js';
import type { Terminal } from '../output/terminal.js';
import type { Override } from '../override.js';
import { readSpecFile } from '../spec-file.js';
import { findInstallation } from '../stack/installation.js';
import { LocalStack, type StackEvent } from '../stack/stack.js';
import { inStateFolder } from '../stack/state-folder.js';
import { DemoFailed } from './demo-failed.js';
import { drawFaults } from './faults.js';
import { MemoryWatch } from './peak-memory.js';
import { type DemoResult, demoResult, sayResult, type SoakResult, soakResult } from './report.js';
import { type RunRecord, watchRun } from './run.js';
import { RunLine } from './run-line.js';
import { disturbedFaults, memoryLimits, undisturbedFaults } from './verdict.js';

/** How the demo runs. */
export interface DemoOptions {
  /** Folder of all state; the demo's own is `demo/stack` in it, made anew each time, its results lie in `demo/`. */
  readonly state: string;
  /** Where checkpoints and datasets lie. Default: in the state folder. */
  readonly objectsUrl: string | undefined;
  /** Leave everything running afterwards, until Ctrl+C. */
  readonly stay: boolean;
  /** Train for one epoch only. */
  readonly short: boolean;
  /** What the trainers compute with, in place of what the spec file says. */
  readonly resources: DemoResources;
  /** Soak: so many disturbed runs against one undisturbed one. undefined: the demo with its one. */
  readonly repeat: number | undefined;
  /** Print the result as JSON. */
  readonly json: boolean;
}

/** What the trainers of a demo compute with. */
export interface DemoResources {
  /** Name of an engine. Default that of the spec file. */
  readonly engine?: string | undefined;
  /** What the engine computes with. Default the first of the engine that this machine has. */
  readonly provider?: string | undefined;
}

/** What every step of the demo works with. */
interface Stage {
  readonly client: Client;
  readonly stack: LocalStack;
  readonly memory: MemoryWatch;
  readonly lines: LiveLines;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** The folder of the spec files. */
  readonly examples: string;
  readonly startedAt: Date;
  readonly short: boolean;
  readonly resources: DemoResources;
}

/**
 * Converts Fashion-MNIST, trains the same experiment undisturbed and with its worker killed and preempted at random
 * batches, and compares. The exit code: 0 only when the faults hit and the final parameters are equal bit for bit.
 */
export async function demo(terminal: Terminal, options: DemoOptions): Promise<number> {
  const folder = resolve(options.state, 'demo');
  await inStateFolder(folder, async () => await mkdir(folder, { recursive: true }));
  const startedAt = new Date();
  const trouble = new AbortController();
  let stack: LocalStack | undefined;
  let memory: MemoryWatch | undefined;
  const requests = listenForStop(terminal);
  const signal = AbortSignal.any([requests.stop, trouble.signal]);
  const lines = new LiveLines(terminal);
  const onEvent = (event: StackEvent): void => {
    if (event.kind === 'died') {
      sayStackEvent(terminal, event);
      trouble.abort(
        new DemoFailed(
          `${event.service} died (${event.exit.how}), which is no part of the demo; its log is ${event.logFile}`,
        ),
      );
    } else if (event.kind === 'starting') {
      sayStackEvent(terminal, event);
    } else if (event.kind === 'ready') {
      lines.say(
        terminal.style('dim', `${event.service} ready after ${duration(event.afterMs)} (process ${event.pid})`),
      );
    }
  };
  try {
    stack = await LocalStack.start({
      state: join(folder, 'stack'),
      fresh: true,
      objectsUrl: options.objectsUrl,
      environment: () => hermetic(options.state),
      onEvent,
      stop: signal,
      kill: requests.kill,
    });
    const client = new Client({ url: stack.url, token: await stack.token() });
    memory = new MemoryWatch(stack);
    memory.start();
    const examples = join(findInstallation().root, 'examples');
    const { short, resources } = options;
    if (isInJavaScript(resources)) {
      lines.say(
        `${resources.engine} computes in JavaScript here, so the network is a small one: ${SMALL_DIMS.join(', ')}`,
      );
    }
    const stage: Stage = { client, stack, memory, lines, terminal, signal, examples, startedAt, short, resources };
    const passed =
      options.repeat === undefined
        ? await showOnce(stage, options, folder)
        : await soak(stage, options.repeat, options, folder);
    if (options.stay) {
      await sayAddresses(terminal, stack);
      await untilAborted(signal);
      trouble.signal.throwIfAborted();
      terminal.say('Stopping.');
    }
    return passed ? 0 : 1;
  } catch (error) {
    if (trouble.signal.aborted) throw trouble.signal.reason;
    if (!requests.stop.aborted) throw error;
    terminal.say('Stopped before the end.');
    return requests.exitCode();
  } finally {
    memory?.stop();
    await stack?.stop();
    requests.release();
  }
}

async function showOnce(stage: Stage, options: DemoOptions, folder: string): Promise<boolean> {
  const { startedAt } = stage;
  const dataset = await convert(stage);
  const undisturbed = await train(stage, 'undisturbed');
  const disturbed = await train(stage, 'killed twice', true);
  await stage.memory.sample();
  const limits = memoryLimits(stage.resources.engine);
  const result = demoResult({ startedAt, dataset, undisturbed, disturbed, peaks: stage.memory.peaks, limits });
  await keep(join(folder, 'result.json'), result, stage.terminal);
  if (options.json) stage.terminal.printJson(result, 2);
  else sayResult(stage.terminal, result);
  return result.passed;
}

async function soak(stage: Stage, count: number, options: DemoOptions, folder: string): Promise<boolean> {
  const { startedAt } = stage;
  await convert(stage);
  const reference = await train(stage, 'undisturbed');
  const problems = undisturbedFaults(reference);
  const runs: { readonly run: RunRecord; readonly wrong: readonly string[] }[] = [];
  const path = join(folder, 'soak.json');
  const limits = memoryLimits(stage.resources.engine);
  let result: SoakResult | undefined;
  for (let number = 1; number <= count && problems.length === 0; number += 1) {
    const run = await train(stage, `run ${number}/${count}`, true);
    const wrong = disturbedFaults(run, reference);
    runs.push({ run, wrong });
    stage.lines.say(soakLine(stage.terminal, number, count, run, wrong));
    await stage.memory.sample();
    result = soakResult({ startedAt, count, reference, runs, peaks: stage.memory.peaks, limits });
    // Kept after each run: what is interrupted or fails is there to be looked at.
    await keep(path, result);
  }
  for (const problem of problems) stage.terminal.say(problem);
  if (options.json && result !== undefined) stage.terminal.printJson(result, 2);
  const equal = runs.filter(({ wrong }) => wrong.length === 0).length;
  stage.terminal.say(
    `\n${equal} of ${count} disturbed runs ended bit for bit like the undisturbed one; kept in ${relative('.', path)}`,
  );
  for (const wrong of result?.memoryProblems ?? []) stage.terminal.say(stage.terminal.style('red', wrong));
  return result?.passed === true;
}

function soakLine(terminal: Terminal, number: number, count: number, run: RunRecord, wrong: readonly string[]): string {
  const moments = run.faults.map(({ signal, sentAtStep }) => `${signal} at step ${sentAtStep}`).join(', ');
  const facts = `${moments}, ${run.stepsRunAgain} steps again, ${run.view.result?.parametersSha256 ?? 'no result'}`;
  const mark = wrong.length === 0 ? terminal.style('green', '✓') : terminal.style('red', '✗');
  return [`${mark} run ${number}/${count}: ${facts}`, ...wrong.map((text) => `    ${text}`)].join('\n');
}

/** Has the dataset made by fuel-preproc: from the raw files that the set-up has put there, else from the published ones. */
async function convert(stage: Stage): Promise<{ view: DatasetView; totalMs: number }> {
  const { client, lines, terminal, signal, examples } = stage;
  const since = performance.now();
  const submission = await readSpecFile(join(examples, 'fashion-mnist.yaml'));
  if (submission.kind !== 'dataset') throw new DemoFailed(`fashion-mnist.yaml in ${examples} is not a dataset`);
  let view = await client.datasets.submit(submission.spec);
  while (!isTerminalDataset(view.status)) {
    const { progress } = view;
    const doing = progress === null ? 'waiting for fuel-preproc' : `${progress.phase} ${progress.what}`;
    lines.set('dataset', `${terminal.style('bold', 'fashion-mnist'.padEnd(14))}${doing}`, doing);
    await sleep(100, undefined, { signal });
    view = await client.datasets.get(view.id);
  }
  const totalMs = performance.now() - since;
  if (view.result === null)
    throw new DemoFailed(`the dataset fashion-mnist was not made (${view.reason}): ${view.message}`);
  const { description, sizeBytes, sha256 } = view.result;
  const text = `${splitsText(description.splits)}; ${size(sizeBytes)}, sha256 ${sha256.slice(0, 12)}…, ${duration(totalMs)}`;
  lines.set('dataset', `${terminal.style('bold', 'fashion-mnist'.padEnd(14))}${text}`, 'ready');
  lines.settle();
  return { view, totalMs };
}

/** Submits the experiment and watches it to its end, with a bar. */
async function train(stage: Stage, label: string, disturbed = false): Promise<RunRecord> {
  const { client, lines, terminal, examples, short, resources } = stage;
  const specFile = join(examples, 'fashion-mlp.yaml');
  const submission = await readSpecFile(specFile, [
    { path: ['name'], value: `fashion-mlp, ${label}` },
    ...resourceOverrides(resources),
    // Several of those run side by side, and threads that wait for each other take the processor from the others.
    ...(short
      ? [
          { path: ['params', 'epochs'], value: 1 },
          { path: ['resources', 'threads'], value: 1 },
        ]
      : []),
  ]);
  if (submission.kind !== 'experiment') throw new DemoFailed(`${specFile} is not an experiment`);
  const { id } = await client.experiments.submit(submission.spec);
  const line = new RunLine({ lines, terminal, label });
  const record = await watchRun(id, { ...stage, ...(disturbed && { drawFaults }), onNews: (news) => line.tell(news) });
  line.finish(record);
  return record;
}

/** Puts the engine in place of the spec file's; one that computes in JavaScript is given a network of a fiftieth of the size. */
function resourceOverrides(resources: DemoResources): Override[] {
  const { engine, provider } = resources;
  return [
    ...(engine === undefined ? [] : [{ path: ['resources', 'engine'], value: engine }]),
    ...(provider === undefined ? [] : [{ path: ['resources', 'provider'], value: provider }]),
    ...(isInJavaScript(resources) ? [{ path: ['params', 'dims'], value: SMALL_DIMS }] : []),
  ];
}

function isInJavaScript({ engine, provider }: DemoResources): boolean {
  return engine === 'reference' || (engine === 'tfjs' && provider === 'cpu');
}

const SMALL_DIMS = [784, 16, 16, 10];

/** Only what the demo gives the services counts, whatever is set in the shell it is started from. */
export function hermetic(state: string): Record<string, string | undefined> {
  const inherited = Object.keys(process.env).filter((name) => name.startsWith('LONGRUN_') || name === 'DATABASE_URL');
  return {
    ...Object.fromEntries(inherited.map((name) => [name, undefined])),
    LONGRUN_RAW: join(resolve(state), 'raw'),
  };
}

async function keep(path: string, result: DemoResult | SoakResult, terminal?: Terminal): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(result, null, 2)}\n`);
  await rename(draft, path);
  terminal?.say('');
}
