import { ForeignFolder, InvalidParams, MissingDataset } from '@longrun/blocks';
import { CorruptInput, MissingInput, UnsuitableDataset } from '@longrun/fuel';
import { isDiskError, StateMismatch } from '@longrun/serialization';
import { EngineUnavailable } from '@longrun/tensor';

import { RunFailed, UnusableRun } from './run-failed.js';
import { REMEDY } from './run-folder.js';

/** An error of training as this command says it; one of the program's own stays as it is, with its stack. */
export function foreseen(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { message } = error;
  if (error instanceof StateMismatch) {
    return new RunFailed(`training cannot go on from its checkpoint: ${message}; ${REMEDY}`, { cause: error });
  }
  if (isDiskError(error)) return new RunFailed(messagesOf(error), { cause: error });
  if (error instanceof MissingDataset) {
    const remedy = `as --dataset ${error.role}=fashion-mnist.hdf5 (longrun download NAME fetches that of a dataset)`;
    return new UnusableRun(`${message}, ${remedy}`, { cause: error });
  }
  if (UNUSABLE.some((kind) => error instanceof kind)) return new UnusableRun(message, { cause: error });
  if (FAILED.some((kind) => error instanceof kind)) return new RunFailed(message, { cause: error });
  return error;
}

/** Of an error and of those that led to it. */
function messagesOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${messagesOf(cause)}` : message;
}

const UNUSABLE = [InvalidParams, EngineUnavailable];
const FAILED = [ForeignFolder, CorruptInput, MissingInput, UnsuitableDataset];
