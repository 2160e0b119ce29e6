import {
  type DatasetIdentity,
  DatasetOutcome,
  type DatasetResult,
  ExperimentOutcome,
  type ExperimentResult,
  type Json,
  type Kind,
  type ReasonCode,
} from '@longrun/contracts';

import type { LifeRow } from '../record/tables.js';

/** How a life ended. */
export interface Outcome {
  readonly reason: ReasonCode;
  readonly message: string | null;
  readonly result: ExperimentResult | DatasetResult | null;
}

/** Where a life's lease, specification and checkpoints are in the object store. */
export function leasePrefix(kind: Kind, id: string): string {
  return `${kind}s/${id}`;
}

/** The outcome in a lease's head. One that this build cannot read is an `internal_error` that says so. */
export function readOutcome(kind: Kind, outcome: Json): Outcome {
  const parsed = (kind === 'experiment' ? ExperimentOutcome : DatasetOutcome).safeParse(outcome);
  if (parsed.success) {
    const { reason, message, result } = parsed.data;
    return { reason, message: message ?? null, result: result ?? null };
  }
  return {
    reason: 'internal_error',
    message: `The outcome in its lease cannot be read: ${JSON.stringify(outcome).slice(0, 500)}`,
    result: null,
  };
}

/** An outcome as the record writes it into a lease's head: never one that succeeded. */
export function writeOutcome(kind: Kind, ending: { reason: ReasonCode; message: string | null }, step: number): Json {
  const message = ending.message === null ? {} : { message: ending.message };
  const common = { reason: ending.reason, ...message };
  return kind === 'experiment' ? { ...common, step } : common;
}

/** A result as that of an experiment; null when it is none. */
export function experimentResult(result: LifeRow['result']): ExperimentResult | null {
  return result !== null && 'parametersSha256' in result ? result : null;
}

/** A result as that of a dataset, one of before with the defaults of now; null when it is none. */
export function datasetResult(result: LifeRow['result']): DatasetResult | null {
  if (result === null || !('fileKey' in result)) return null;
  const { identity = null, sameAs = null, ...rest } = result;
  return { ...rest, identity: identity === null ? null : withParams(identity), sameAs };
}

/** Of a dataset that was made before converters had params. */
interface IdentityOfBefore extends Omit<DatasetIdentity, 'params'> {
  readonly params?: DatasetIdentity['params'];
}

function withParams({ params = {}, ...identity }: IdentityOfBefore): DatasetIdentity {
  return { ...identity, params };
}
