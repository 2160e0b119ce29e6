import type { Brick } from './brick.js';

/** What bricks do otherwise in training than in evaluation. */
export type TrainingBehaviour = 'batch normalization' | 'dropout';

interface Switched {
  readonly bricks: readonly Brick[];
  /** Undefined stands for all. */
  readonly behaviour: TrainingBehaviour | undefined;
}

/** The bricks in training mode, innermost last. Building a graph is synchronous. */
const TRAINING: Switched[] = [];

/**
 * What `build` gives, in which every brick among `bricks` and below does as in training: a `BatchNormalization` takes the statistics of the batch, and
 * a `Dropout` drops. A graph that was built for evaluation becomes the same by `applyTrainingMode(graph)`.
 */
export function trainingMode<Result>(bricks: Brick | readonly Brick[], build: () => Result): Result {
  return switched(bricks, undefined, build);
}

/** {@link trainingMode} of batch normalizations alone (Blocks: the context manager `batch_normalization`). */
export function batchNormalization<Result>(bricks: Brick | readonly Brick[], build: () => Result): Result {
  return switched(bricks, 'batch normalization', build);
}

/** Whether a brick is in training mode: it, or one above it, was named. */
export function isInTrainingMode(brick: Brick, behaviour: TrainingBehaviour): boolean {
  const isNamed = TRAINING.some(
    ({ bricks, behaviour: which }) => (which === undefined || which === behaviour) && bricks.includes(brick),
  );
  return isNamed || brick.parents.some((parent) => isInTrainingMode(parent, behaviour));
}

function switched<Result>(
  bricks: Brick | readonly Brick[],
  behaviour: TrainingBehaviour | undefined,
  build: () => Result,
): Result {
  TRAINING.push({ bricks: 'uniquePath' in bricks ? [bricks] : bricks, behaviour });
  try {
    return build();
  } finally {
    TRAINING.pop();
  }
}
