import type { DatasetOutcome, ExperimentOutcome } from '@longrun/contracts';
import type { Json } from '@longrun/serialization';
import { z } from 'zod';

/** An outcome as it stands in the head of a lease: what is undefined is left out. */
export function outcomeJson(outcome: ExperimentOutcome | DatasetOutcome): Json {
  return z.json().parse(JSON.parse(JSON.stringify(outcome)));
}
