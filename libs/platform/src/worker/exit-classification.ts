import type { AttemptEnd } from './attempt.js';
import type { ChildExit } from './supervised-child.js';

/**
 * What it means that a child ended without saying how, and without its worker having killed it.
 *
 * @param child what to call it: `trainer`
 * @param ifItLeft what it means that the child ended by itself, in good order as far as the system can see
 */
export function classifyExit(exit: ChildExit, child: string, ifItLeft: AttemptEnd): AttemptEnd {
  const { reason, message } = meaning(exit, child, ifItLeft);
  return { reason, message: exit.stderrTail === '' ? message : `${message}\n${exit.stderrTail}` };
}

function meaning(exit: ChildExit, child: string, ifItLeft: AttemptEnd): Required<AttemptEnd> {
  if (exit.heapExhausted)
    return {
      reason: 'out_of_memory',
      message: `The ${child} reached the heap limit of its JavaScript engine; it needs less data at once, or a machine with more memory.`,
    };
  if (exit.memory !== null)
    return {
      reason: 'out_of_memory',
      message: `The ${child} and what it started took ${mebibytes(exit.memory.seenBytes)} of memory, and may take ${mebibytes(exit.memory.limitBytes)}; it needs less data at once, or a higher limit.`,
    };
  if (exit.garbled !== null)
    return {
      reason: 'program_error',
      message: `The ${child} said on its channel to the worker what is no message of a ${child}: ${exit.garbled}.`,
    };
  if (exit.isUndying)
    return {
      reason: 'internal_error',
      message: `The ${child} was killed and does not end: what it waits for does not let it go.`,
    };
  if (exit.signal !== null && CRASHES.has(exit.signal))
    return { reason: 'internal_error', message: `The ${child} crashed with ${exit.signal}.` };
  if (exit.signal !== null)
    return {
      reason: 'trainer_killed',
      message: `The ${child} was ended with ${exit.signal} from outside: not by its worker, and not for want of memory as far as can be seen.`,
    };
  if (exit.code === null)
    return { reason: 'internal_error', message: `The ${child} could not be started as a process.` };
  const { reason, message = `The ${child} left.` } = ifItLeft;
  return { reason, message: `${message} Its exit code was ${exit.code}.` };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
/** Signals that the system sends to a process for what it did itself; all others come from somebody. */
const CRASHES: ReadonlySet<NodeJS.Signals> = new Set<NodeJS.Signals>([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
]);
