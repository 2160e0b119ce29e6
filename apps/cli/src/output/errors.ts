import { ApiProblem, ApiUnreachable, NotLongrun, StoreUnreachable } from '@longrun/client';
import {
  type FaultCode,
  isFault,
  pointerPath,
  type Problem,
  type ProblemError,
  problemType,
  visibleJson,
  visibleLine,
} from '@longrun/contracts';

import { ConfigurationError } from '@longrun/platform/configuration';
import { FolderInUse } from '@longrun/platform/processes';
import { BundleRefused } from '@longrun/platform/programs';
import { CommanderError } from 'commander';

import { NotRunning, UnusableAddress } from '../address.js';
import { asTyped } from '../arguments.js';
import { CheckpointFailed, UnusableObjects } from '../commands/checkpoint/checkpoint-errors.js';
import { DownloadFailed } from '../commands/download/download-file.js';
import { ExportFailed } from '../commands/export/export-failed.js';
import { SqlRefused } from '../commands/query/sql-refused.js';
import { UnknownReference } from '../commands/reference.js';
import { RunFailed, UnusableRun } from '../commands/run/run-failed.js';
import { UnusableToken } from '../commands/login.js';
import { UnusableSecret } from '../commands/secrets.js';
import { SubmissionUnknown } from '../commands/submission-unknown.js';
import { DemoFailed } from '../demo/demo-failed.js';
import { HostsFileError } from '../hosts-file.js';
import { InvalidOverride } from '../override.js';
import { UnusableProgram } from '../program-file.js';
import { SpecFileError, type SpecError } from '../spec-file.js';
import { NotInstalled } from '../stack/installation.js';
import { ServiceFailed } from '../stack/service.js';
import { PortInUse } from '../stack/port.js';
import { UnusableStateFolder } from '../stack/state-folder.js';
import { StateFolderInUse } from '../stack/state-lock.js';
import { commandWords } from './command-words.js';
import { connectionWords } from './connection-words.js';
import type { Terminal } from './terminal.js';

/** The exit code that an error means: 2 for a command, a variable or a spec that was not written right, 1 for all else. */
export function exitCodeOf(error: unknown): 1 | 2 {
  if (error instanceof ApiProblem) return isWrittenWrong(error.problem) ? 2 : 1;
  return notWrittenRight.some((kind) => error instanceof kind) ? 2 : 1;
}

/** Says what went wrong, each field with its remedy: in sentences, or as one line of JSON. A bug comes with its stack. */
export function sayError(terminal: Terminal, error: unknown, json = false): void {
  if (json) return terminal.say(visibleJson({ error: errorReport(error) }));
  const { message, errors } = explained(error);
  terminal.say(`${terminal.style('red', 'longrun:')} ${message}`);
  for (const { place, detail, remedy } of errors) {
    terminal.say(`  ${terminal.style('bold', visibleLine(place))}: ${detail}`);
    terminal.say(`    ${terminal.style('cyan', '→')} ${remedy}`);
  }
}

/** An error as `--json` prints it. */
export interface ErrorReport {
  readonly message: string;
  /** What the API answered, where it refused. */
  readonly httpStatus?: number;
  /** What is wrong with each field; none where the message says it all. */
  readonly errors: readonly SpecError[];
}

/** An error for a program that reads it, in the words that a person is told. */
export function errorReport(error: unknown): ErrorReport {
  const { message, errors } = explained(error);
  return { message, ...(error instanceof ApiProblem && { httpStatus: error.problem.status }), errors };
}

const notWrittenRight = [
  CommanderError,
  InvalidOverride,
  SpecFileError,
  BundleRefused,
  UnusableProgram,
  ConfigurationError,
  UnusableAddress,
  UnusableToken,
  UnusableSecret,
  SqlRefused,
  UnusableStateFolder,
  UnusableObjects,
  UnusableRun,
];

/** What the API refuses for what stands in it, not for want of what it names or for what is wrong with that. */
function isWrittenWrong({ type, errors = [] }: Problem): boolean {
  return errors.some(({ code }) => {
    const known: Readonly<Record<string, boolean>> = writtenWrong;
    return known[code] ?? type === problemType('invalid-request');
  });
}

/** Whether a fault is one of what the user has written, which is to be written otherwise before it can be accepted. */
const writtenWrong: Readonly<Record<FaultCode, boolean>> = {
  missing: true,
  'wrong-type': true,
  'wrong-form': true,
  'unknown-key': true,
  'unknown-word': true,
  'out-of-range': true,
  'not-a-multiple': true,
  'wrong-format': true,
  'rule-broken': true,
  // It is said beside others, which decide.
  'more-faults': false,
  'body-too-large': true,
  'json-too-large': true,
  // What is not there may come to be there.
  'name-unknown': false,
  'not-found': false,
  deleted: false,
  'metric-unknown': false,
  'checkpoint-unknown': false,
  'file-unknown': false,
  'copy-unknown': false,
  'checkpoint-damaged': false,
  'head-damaged': false,
  'dataset-damaged': false,
  'written-by-newer': false,
  'threads-unavailable': false,
  'engine-unavailable': false,
  'dataset-failed': false,
  'dataset-succeeded': false,
  'still-converted': false,
  'not-current': false,
  'origin-unknown': false,
  'origin-differs': true,
  'program-broken': false,
  'program-busy': false,
  'program-hash-malformed': true,
  'program-hash-ambiguous': true,
  'program-hash-unknown': false,
  'program-damaged': false,
  'module-broken': true,
  'module-altered': false,
  'module-too-large': true,
  'verification-busy': false,
  'name-taken': false,
  'key-reused': false,
  'made-deleted': false,
  'ended-already': false,
  'not-running': false,
  'ending-already': false,
  'not-failed': false,
  'not-ended': false,
  'copies-awaited': false,
  'checkpoints-pinned': false,
  'dataset-used': false,
  'dataset-deleted': false,
  'preemptions-spent': false,
  'program-unrecorded': false,
  'origin-gone': false,
  'hyperparameters-unknown': false,
  'too-many-settings': false,
  'hyperparameter-ambiguous': true,
  'not-ready': false,
  'too-many-holds': false,
  'token-missing': false,
  'token-malformed': false,
  'token-wrong': false,
  // This command or the API is at fault.
  'http-broken': false,
  'body-missing': false,
  'text-undecodable': false,
  'json-broken': false,
  'type-unsupported': false,
  'encoding-unsupported': false,
  'module-type-unsupported': false,
  'cursor-unknown': false,
  'route-unknown': false,
  'method-unserved': false,
  'range-outside': false,
  unforeseen: false,
  'part-silent': false,
};

function explained(error: unknown): { message: string; errors: readonly SpecError[] } {
  if (error instanceof ApiProblem) {
    const { title, detail, status, errors = [] } = error.problem;
    // The document's detail says what its errors say, without the remedies.
    return { message: `${errors.length === 0 ? detail : title} (HTTP ${status})`, errors: errors.map(refusedField) };
  }
  // Without the mark that Commander puts before its sentences.
  if (error instanceof CommanderError) return { message: asTyped(error.message).replace(/^error: /, ''), errors: [] };
  if (error instanceof SpecFileError || error instanceof UnusableRun)
    return { message: error.message, errors: error.errors };
  if (error instanceof ApiUnreachable || error instanceof NotLongrun)
    return { message: connectionWords(error), errors: [] };
  const foreseen = [
    ...notWrittenRight,
    NotRunning,
    HostsFileError,
    UnknownReference,
    SubmissionUnknown,
    NotInstalled,
    ServiceFailed,
    StateFolderInUse,
    PortInUse,
    DemoFailed,
    CheckpointFailed,
    DownloadFailed,
    ExportFailed,
    RunFailed,
    StoreUnreachable,
    FolderInUse,
  ];
  if (error instanceof Error) {
    const isForeseen = foreseen.some((kind) => error instanceof kind);
    return { message: isForeseen ? error.message : (error.stack ?? error.message), errors: [] };
  }
  return { message: String(error), errors: [] };
}

function refusedField({ pointer, code, facts, detail, remedy }: ProblemError): SpecError {
  const fault = { code, facts };
  const own = isFault(fault) ? commandWords(fault) : {};
  return { place: fieldName(pointer), detail: own.detail ?? detail, remedy: own.remedy ?? remedy };
}

/** `/params/dims/0` as `params.dims.0`; what is no pointer but a header as what it is given by here. */
function fieldName(pointer: string): string {
  if (pointer === '') return 'the request';
  return pointer.startsWith('/') ? pointerPath(pointer).join('.') : (headers.get(pointer) ?? pointer);
}

const headers: ReadonlyMap<string, string> = new Map([
  ['Idempotency-Key', '--idempotency-key'],
  ['Authorization', 'the token'],
  ['Content-Length', 'the spec'],
]);
