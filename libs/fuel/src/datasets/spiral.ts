import { ndarray, RandomState } from '@longrun/serialization';
import { IndexableDataset } from './indexable-dataset.js';
import { checkToy, withNoise, type ToyOptions } from './toy-points.js';

/** What the spirals are like. */
export interface SpiralOptions extends ToyOptions {
  /** Arms, each a class. Default 1. */
  readonly classes?: number;
  /** How often each arm goes around. Default 1. */
  readonly cycles?: number;
}

/**
 * Points on the arms of a spiral in a plane, the same as the original's for the same seed (Fuel: `toy.Spiral`).
 *
 * Sources: `features` `(batch, 2)` float32, x and y; `position` `(batch)` float64, how far out on its arm, from 0 to `cycles`; `label` `(batch)`
 * int64, which arm.
 */
export class Spiral extends IndexableDataset {
  constructor(options: SpiralOptions = {}) {
    const { classes = 1, cycles = 1 } = options;
    const { examplesCount, noise, seed } = checkToy('Spiral', options);
    if (!Number.isSafeInteger(classes) || classes < 1) {
      throw new RangeError(`Spiral: classes is ${classes}; give a whole number of at least 1`);
    }
    const random = new RandomState(seed);
    const position = random.uniform(0, cycles, examplesCount);
    const label = random.randint(0, classes, examplesCount);
    const features = new Float32Array(2 * examplesCount);
    for (const [i, at] of position.entries()) {
      const radius = (2 * at + 1) / 3;
      const phase = 2 * Math.PI * at + ((label[i] ?? 0) * (2 * Math.PI)) / classes;
      features.set([radius * Math.sin(phase), radius * Math.cos(phase)], 2 * i);
    }
    withNoise(features, noise, random);
    super({
      features: ndarray('float32', [examplesCount, 2], features),
      position: ndarray('float64', [examplesCount], position),
      label: ndarray('int64', [examplesCount], BigInt64Array.from(label, BigInt)),
    });
  }
}
