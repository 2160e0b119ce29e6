import type { Brick } from '../brick.js';

/** The bricks below which batches are normalized by their own statistics, innermost last. Building a graph is synchronous. */
const TRAINING: (readonly Brick[])[] = [];

/**
 * What `build` gives, in which every `BatchNormalization` among `bricks` and below normalizes by the statistics of the batch, as in training (Blocks: the
 * context manager `batch_normalization`).
 */
export function batchNormalization<Result>(bricks: Brick | readonly Brick[], build: () => Result): Result {
  TRAINING.push('uniquePath' in bricks ? [bricks] : bricks);
  try {
    return build();
  } finally {
    TRAINING.pop();
  }
}

/** Whether a brick is in training mode: it, or one above it, was named. */
export function isInTrainingMode(brick: Brick): boolean {
  return TRAINING.flat().includes(brick) || brick.parents.some(isInTrainingMode);
}
