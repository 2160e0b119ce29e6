import type { ProblemError } from '@longrun/contracts';

import { ConfigurationError } from '@longrun/platform/configuration';

import { NotRunning } from '../address.js';
import { ApiProblem, ApiUnreachable } from '../client.js';
import { UnknownReference } from '../commands/reference.js';
import { DemoFailed } from '../demo/demo-failed.js';
import { InvalidOverride } from '../override.js';
import { SpecFileError } from '../spec-file.js';
import { NotInstalled } from '../stack/installation.js';
import { ServiceFailed } from '../stack/service.js';
import { StateFolderInUse } from '../stack/state-lock.js';
import type { Terminal } from './terminal.js';

/** The exit code that an error means: 2 for a command that was not written right, 1 for all else. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof InvalidOverride ? 2 : 1;
}

/** Says what went wrong, each field with its remedy. An error that nobody foresaw comes with its stack. */
export function sayError(terminal: Terminal, error: unknown): void {
  const { message, errors } = explained(error);
  terminal.say(`${terminal.style('red', 'longrun:')} ${message}`);
  for (const { pointer, detail, remedy } of errors) {
    terminal.say(`  ${terminal.style('bold', fieldName(pointer))}: ${detail}`);
    terminal.say(`    ${terminal.style('cyan', '→')} ${remedy}`);
  }
}

function explained(error: unknown): { message: string; errors: readonly ProblemError[] } {
  if (error instanceof ApiProblem) {
    const { title, detail, status, errors = [] } = error.problem;
    const remedy = status === 401 ? '; check LONGRUN_TOKEN or the token file of the state folder' : '';
    return { message: `${detail === '' ? title : detail}${remedy} (HTTP ${status})`, errors };
  }
  if (error instanceof SpecFileError) return { message: error.message, errors: error.errors };
  const foreseen = [
    ConfigurationError,
    ApiUnreachable,
    NotRunning,
    UnknownReference,
    InvalidOverride,
    NotInstalled,
    ServiceFailed,
    StateFolderInUse,
    DemoFailed,
  ];
  if (error instanceof Error) {
    const isForeseen = foreseen.some((kind) => error instanceof kind);
    return { message: isForeseen ? error.message : (error.stack ?? error.message), errors: [] };
  }
  return { message: String(error), errors: [] };
}

/** `/params/dims/0` as `params.dims.0`; what is no pointer (a header, a place in a file) stays. */
function fieldName(pointer: string): string {
  if (pointer === '') return 'the body';
  if (!pointer.startsWith('/') || pointer.includes(':')) return pointer;
  const parts = pointer.slice(1).split('/');
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join('.');
}
