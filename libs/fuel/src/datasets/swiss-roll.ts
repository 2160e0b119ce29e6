import { ndarray, RandomState } from '@longrun/serialization';
import { IndexableDataset } from './indexable-dataset.js';
import { checkToy, withNoise, type ToyOptions } from './toy-points.js';

/**
 * Points on a rolled plane in space, the same as the original's for the same seed (Fuel: `toy.SwissRoll`).
 *
 * Sources: `features` `(batch, 3)` float32, x, y and z; `position` `(batch, 2)` float32, how far out on the roll, from 0 to 1, and z.
 */
export class SwissRoll extends IndexableDataset {
  constructor(options: ToyOptions = {}) {
    const { examplesCount, noise, seed } = checkToy('SwissRoll', options);
    const random = new RandomState(seed);
    const out = random.uniform(0, 1, examplesCount);
    const z = random.uniform(-1, 1, examplesCount);
    const features = new Float32Array(3 * examplesCount);
    const position = new Float32Array(2 * examplesCount);
    for (const [i, at] of out.entries()) {
      const phi = CYCLES * Math.PI * (1 + 2 * at);
      const radius = (1 + 2 * at) / 3;
      const height = z[i] ?? 0;
      features.set([radius * Math.cos(phi), radius * Math.sin(phi), height], 3 * i);
      position.set([at, height], 2 * i);
    }
    withNoise(features, noise, random);
    super({
      features: ndarray('float32', [examplesCount, 3], features),
      position: ndarray('float32', [examplesCount, 2], position),
    });
  }
}

const CYCLES = 1.5;
