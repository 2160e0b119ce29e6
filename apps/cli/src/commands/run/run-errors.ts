import { ForeignFolder, InvalidParams, MissingDataset } from '@longrun/blocks';
import { CorruptInput, MissingInput, UnsuitableDataset } from '@longrun/fuel';
import { StateMismatch } from '@longrun/serialization';
import { EngineUnavailable } from '@longrun/tensor';

import { RunFailed, UnusableRun } from './run-failed.js';

/** An error of training as this command says it; one of the program's own stays as it is, with its stack. */
export function foreseen(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { message } = error;
  if (error instanceof StateMismatch) {
    const remedy = 'begin anew by --fresh, which moves it aside, or give another folder by --checkpoints';
    return new RunFailed(`training cannot go on from its checkpoint: ${message}; ${remedy}`, { cause: error });
  }
  if (UNUSABLE.some((kind) => error instanceof kind)) return new UnusableRun(message, { cause: error });
  if (FAILED.some((kind) => error instanceof kind)) return new RunFailed(message, { cause: error });
  return error;
}

const UNUSABLE = [InvalidParams, MissingDataset, EngineUnavailable];
const FAILED = [ForeignFolder, CorruptInput, MissingInput, UnsuitableDataset];
