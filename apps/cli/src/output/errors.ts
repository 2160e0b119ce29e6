import { isFault, pointerPath, type ProblemError, visibleLine, visibleText } from '@longrun/contracts';

import { ConfigurationError } from '@longrun/platform/configuration';

import { NotRunning } from '../address.js';
import { ApiProblem, ApiUnreachable } from '../client.js';
import { UnknownReference } from '../commands/reference.js';
import { DemoFailed } from '../demo/demo-failed.js';
import { InvalidOverride } from '../override.js';
import { SpecFileError, type SpecError } from '../spec-file.js';
import { NotInstalled } from '../stack/installation.js';
import { ServiceFailed } from '../stack/service.js';
import { StateFolderInUse } from '../stack/state-lock.js';
import { commandRemedy } from './remedies.js';
import type { Terminal } from './terminal.js';

/** The exit code that an error means: 2 for a command that was not written right, 1 for all else. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof InvalidOverride ? 2 : 1;
}

/** Says what went wrong, each field with its remedy. An error that nobody foresaw comes with its stack. */
export function sayError(terminal: Terminal, error: unknown): void {
  const { message, errors } = explained(error);
  terminal.say(`${terminal.style('red', 'longrun:')} ${visibleText(message)}`);
  for (const { place, detail, remedy } of errors) {
    terminal.say(`  ${terminal.style('bold', visibleLine(place))}: ${visibleText(detail)}`);
    terminal.say(`    ${terminal.style('cyan', '→')} ${visibleText(remedy)}`);
  }
}

function explained(error: unknown): { message: string; errors: readonly SpecError[] } {
  if (error instanceof ApiProblem) {
    const { title, detail, status, errors = [] } = error.problem;
    // The document's detail says what its errors say, without the remedies.
    return { message: `${errors.length === 0 ? detail : title} (HTTP ${status})`, errors: errors.map(refusedField) };
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

function refusedField({ pointer, code, facts, detail, remedy }: ProblemError): SpecError {
  const fault = { code, facts };
  return { place: fieldName(pointer), detail, remedy: (isFault(fault) ? commandRemedy(fault) : undefined) ?? remedy };
}

/** `/params/dims/0` as `params.dims.0`; what is no pointer but a parameter or a header stays. */
function fieldName(pointer: string): string {
  if (pointer === '') return 'the request';
  return pointer.startsWith('/') ? pointerPath(pointer).join('.') : pointer;
}
