import type { RandomState } from '@longrun/serialization';

/** What toy datasets are made of. */
export interface ToyOptions {
  /** How many points. Default 1000. */
  readonly examplesCount?: number;
  /** Standard deviation of normal noise that is added to the features. Default 0. */
  readonly noise?: number;
  /** Of NumPy's `RandomState`. Default 1 (Fuel: `config.default_seed`). */
  readonly seed?: number;
}

/** The options with their defaults. @throws RangeError for a number of points that is none */
export function checkToy(what: string, options: ToyOptions): Required<ToyOptions> {
  const { examplesCount = 1000, noise = 0, seed = 1 } = options;
  if (Number.isSafeInteger(examplesCount) && examplesCount >= 0) return { examplesCount, noise, seed };
  throw new RangeError(`${what}: examplesCount is ${examplesCount}; give a whole number of at least 0`);
}

/** Adds noise to each element, as NumPy adds float64 to float32: rounded once, at the end. */
export function withNoise(features: Float32Array, noise: number, random: RandomState): void {
  for (let i = 0; i < features.length; i += 1) features[i] = (features[i] ?? 0) + noise * random.normal();
}
