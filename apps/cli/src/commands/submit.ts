import { ApiProblem, ApiUnreachable, type Client, newIdempotencyKey, NotLongrun, Reconnection } from '@longrun/client';
import {
  type DatasetView,
  type ExperimentView,
  isTerminalDataset,
  shortProgram,
  visibleLine,
} from '@longrun/contracts';

import { sayError } from '../output/errors.js';
import { statusText } from '../output/status-text.js';
import type { Terminal } from '../output/terminal.js';
import { type Override, parseOverride } from '../override.js';
import { isProgram, type LocalProgram, readProgram } from '../program-file.js';
import { parseSpec, readSpecFile, SpecFileError, type Submission } from '../spec-file.js';
import { exitCodeOfStatus } from './ended.js';
import { dryRun } from './dry-run.js';
import { follow } from './follow.js';
import { listenForStop } from './stop-requests.js';
import { SubmissionUnknown } from './submission-unknown.js';

/** How a submission is made, and what is said of it. */
export interface SubmissionOptions {
  /** Stay until it has ended. */
  readonly follow: boolean;
  readonly json: boolean;
  /** The same key submits at most once. Default: a new one. */
  readonly idempotencyKey: string | undefined;
}

/** How a spec is submitted. */
export interface SubmitOptions extends SubmissionOptions {
  /** `path=value`, in order. */
  readonly set: readonly string[];
  /** `name=value` of parameters, in order. */
  readonly param: readonly string[];
  /** Names or ids of datasets, or `role=name`. */
  readonly dataset: readonly string[];
  /** Of a program that is published first. Default: that of its file. */
  readonly programName: string | undefined;
  /** Have the API check it, and print what would be recorded. */
  readonly dryRun: boolean;
}

/**
 * Checks a spec file and submits it, once, however often the API has to be asked; or publishes a program, from its file or folder, and submits an
 * experiment of it. The exit code. The client is asked for after the file has been found good.
 */
export async function submit(
  connect: () => Promise<Client>,
  terminal: Terminal,
  file: string,
  options: SubmitOptions,
): Promise<number> {
  const { program, submission } = await readFileToSubmit(file, options);
  const client = await connect();
  if (options.dryRun) return dryRun(client, terminal, submission, options);
  if (program !== undefined) await client.programs.publish(program.name, program);
  return await makeSubmission(client, terminal, submission, options);
}

/** Submits something, once, however often the API has to be asked, and says or follows it. The exit code. */
export async function makeSubmission(
  client: Client,
  terminal: Terminal,
  submission: Submission,
  options: SubmissionOptions,
): Promise<number> {
  const { kind, spec } = submission;
  const submitted = await submitOnce<ExperimentView | DatasetView>(
    terminal,
    async (idempotencyKey, signal) =>
      kind === 'dataset'
        ? await client.datasets.submit(spec, { idempotencyKey, signal })
        : await client.experiments.submit(spec, { idempotencyKey, signal }),
    options,
  );
  if (typeof submitted === 'number') return submitted;
  if ('current' in submitted && !options.json) sayWhatFollows(submitted, terminal);
  return await reportSubmitted(client, terminal, kind, submitted, options);
}

/** Whether a dataset that was there when this one was submitted stays is for a worker to see. */
function sayWhatFollows({ predecessor, status }: DatasetView, terminal: Terminal): void {
  if (predecessor === null || isTerminalDataset(status)) return;
  terminal.say(`longrun: the raw files are looked at; unless they are those of ${predecessor.id}, they are converted`);
}

/** Says what a submission has made, or follows it. The exit code. */
export async function reportSubmitted(
  client: Client,
  terminal: Terminal,
  kind: Submission['kind'],
  submitted: ExperimentView | DatasetView,
  options: Pick<SubmissionOptions, 'follow' | 'json'>,
): Promise<number> {
  const { id, name, status } = submitted;
  const line = `${id}  ${visibleLine(name)}  ${statusText(submitted, terminal)}`;
  if (options.follow) {
    if (kind === 'experiment') terminal.say(line);
    return follow(client, terminal, { kind, id }, options);
  }
  if (options.json) terminal.printJson(submitted, 2);
  else terminal.print(line);
  if (!options.json && (status === 'queued' || status === 'running' || status === 'converting')) {
    terminal.say(`follow it with: longrun logs -f ${id}`);
  }
  return exitCodeOfStatus(status, submitted.reason);
}

interface FileToSubmit {
  /** What is to be published first. */
  readonly program: LocalProgram | undefined;
  readonly submission: Submission;
}

async function readFileToSubmit(file: string, options: SubmitOptions): Promise<FileToSubmit> {
  const overrides = [
    ...options.dataset.map(datasetOverride),
    ...options.param.map((text) => parseOverride(`params.${text}`)),
    ...options.set.map(parseOverride),
  ];
  if (isProgram(file)) {
    const program = await readProgram(file, options.programName);
    const text = JSON.stringify({ program: shortProgram(program.name, program.sha256) });
    return { program, submission: parseSpec(text, file, overrides) };
  }
  if (options.programName !== undefined)
    throw new SpecFileError(`${file} is a spec, which names its program itself; leave --program-name out`);
  return { program: undefined, submission: await readSpecFile(file, overrides) };
}

/** `fashion-mnist`, or `valid=other` for another role. */
export function datasetOverride(text: string): Override {
  const equals = text.indexOf('=');
  return equals === -1
    ? { path: ['dataset'], value: text }
    : { path: ['datasets', text.slice(0, equals)], value: text.slice(equals + 1) };
}

/**
 * Has something made by the API once, however often that has to be asked under one idempotency key, and answers it, or the exit code where this command
 * was ended before there was an answer, which it says.
 *
 * @throws SubmissionUnknown when nobody has told what became of it
 */
export async function submitOnce<View extends object>(
  terminal: Terminal,
  ask: (key: string, signal: AbortSignal) => Promise<View>,
  options: Pick<SubmissionOptions, 'json' | 'idempotencyKey'>,
): Promise<View | number> {
  const key = options.idempotencyKey ?? newIdempotencyKey();
  const requests = listenForStop();
  try {
    return await askUntilAnswered(async (signal) => await ask(key, signal), key, {
      signal: requests.stop,
      onUncertain: (error) => {
        const asking = `asking again with its idempotency key ${key}, so that it is submitted at most once`;
        if (!options.json) terminal.say(`longrun: ${error.message}; ${asking}`);
      },
    });
  } catch (error) {
    if (!requests.stop.aborted) throw error;
    sayError(terminal, new SubmissionUnknown('the API was asked and has not answered yet', key), options.json);
    return requests.exitCode();
  } finally {
    requests.release();
  }
}

/** Asks until there is an answer, some times while nobody knows whether the last one arrived. @throws SubmissionUnknown */
async function askUntilAnswered<View>(
  ask: (signal: AbortSignal) => Promise<View>,
  key: string,
  { signal, onUncertain }: { readonly signal: AbortSignal; readonly onUncertain: (error: Error) => void },
): Promise<View> {
  const reconnection = new Reconnection({ signal });
  for (let asked = 1; ; asked += 1) {
    try {
      return await ask(signal);
    } catch (error) {
      const isOpen = mayHaveArrived(error);
      if (!isOpen && (asked === 1 || !saysNothing(error))) throw error;
      if (!isOpen || asked === MOST_ASKED) throw new SubmissionUnknown(error.message, key, { cause: error });
      if (asked === 1) onUncertain(error);
      await reconnection.pause(error);
    }
  }
}

/** With the pauses between them a quarter of a minute, besides what answers are waited for. */
const MOST_ASKED = 8;

/** Whether an error tells nothing of what became of an earlier request: the API is away, or something else answers in its place. */
function saysNothing(error: unknown): error is Error {
  if (error instanceof ApiProblem) return error.problem.status >= 500;
  return error instanceof ApiUnreachable || error instanceof NotLongrun;
}

/** Whether the API, or a proxy before it, leaves open what became of a request. */
function mayHaveArrived(error: unknown): error is ApiUnreachable | ApiProblem {
  if (error instanceof ApiProblem) return error.problem.status === 502 || error.problem.status === 504;
  return error instanceof ApiUnreachable && error.mayHaveArrived;
}
