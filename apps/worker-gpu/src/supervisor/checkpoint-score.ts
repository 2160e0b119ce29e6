import { decodeNumber } from '@longrun/contracts';
import { type LogFile, readLogFiles, type Snapshot } from '@longrun/serialization';

/** Of which record of the log, and of which checkpoints. */
export interface ScoredBy {
  readonly record: string;
  /** Of the snapshot. */
  readonly step: number;
  /** Of the checkpoint that training has gone on from; 0 at the beginning. */
  readonly stepBefore: number;
}

/**
 * How good the rows between two checkpoints say these are: by the last value of a record up to its step each. What is measured at a step is
 * logged in the row of that step, which is told only after its snapshot; so it is the rows up to the next one that say the last word on the one before.
 */
export async function scoresIn(
  rows: readonly LogFile[],
  { record, step, stepBefore }: ScoredBy,
): Promise<Pick<Snapshot, 'score' | 'scoreBefore'>> {
  let score: number | undefined;
  let scoreBefore: Snapshot['scoreBefore'];
  for await (const entries of readLogFiles(rows)) {
    for (const entry of entries) {
      const value = decodeNumber(entry.row[record]);
      if (value === undefined) continue;
      if (entry.step === stepBefore && step !== stepBefore) scoreBefore = { step: stepBefore, score: value };
      else score = value;
    }
  }
  return { score, scoreBefore };
}
