import type { TrainerFailure } from '@longrun/contracts';
import { Diverged, InvalidParams, MissingDataset } from '@longrun/blocks';
import { isDiskError } from '@longrun/serialization';
import { EngineUnavailable } from '@longrun/tensor';

/** Why a trainer cannot go on, as it tells its worker. */
export interface TrainingFailure {
  readonly reason: TrainerFailure;
  readonly message: string;
  readonly stack?: string;
}

/** The checkpoint is whole, but the program cannot go on from it. */
export class CheckpointUnreadable extends Error {
  override readonly name = 'CheckpointUnreadable';

  constructor(cause: Error) {
    super(`The program cannot go on from its checkpoint: ${cause.message}`, { cause });
  }
}

/** The checkpoint of another experiment is whole, but the program cannot go on from it with the parameters of this one. */
export class ForkUnfit extends Error {
  override readonly name = 'ForkUnfit';

  constructor(cause: Error) {
    super(
      `The program cannot go on with these parameters from the checkpoint of the other experiment: ${cause.message}`,
      {
        cause,
      },
    );
  }
}

/** What an error means that ended training. */
export function failureOf(error: unknown): TrainingFailure {
  if (!(error instanceof Error)) return { reason: 'program_error', message: `The program threw ${String(error)}` };
  if (error instanceof InvalidParams || error instanceof MissingDataset || error instanceof ForkUnfit)
    return { reason: 'invalid_params', message: error.message };
  // Another worker may have it.
  if (error instanceof EngineUnavailable) return { reason: 'program_error', message: error.message };
  if (error instanceof Diverged) return { reason: 'diverged', message: `${error.message}, and onNonFinite is stop` };
  if (error instanceof CheckpointUnreadable) return { reason: 'checkpoint_unreadable', message: error.message };
  const chain = causes(error);
  const message = chain.map((one) => one.message).join(': ');
  if (chain.some(isOutOfMemory)) return { reason: 'out_of_memory', message };
  // What it may only read is read-only to it.
  if (isDiskError(error) && !chain.some(isReadOnly)) return { reason: 'worker_disk', message };
  return { reason: 'program_error', message, ...(error.stack === undefined ? {} : { stack: error.stack }) };
}

function causes(error: Error): Error[] {
  const chain = [error];
  for (let cause = error.cause; cause instanceof Error && !chain.includes(cause); cause = cause.cause)
    chain.push(cause);
  return chain;
}

function isReadOnly(error: Error): boolean {
  return 'code' in error && error.code === 'EROFS';
}

/** As V8 and ONNX Runtime word it. */
function isOutOfMemory({ message }: Error): boolean {
  return /Array buffer allocation failed|bad_alloc|[Ff]ailed to allocate memory/.test(message);
}
