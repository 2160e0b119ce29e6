import { Tanh } from '../activations.js';
import type { BrickOptions } from '../brick.js';
import { FeedforwardSequence } from '../feedforward-sequence.js';
import type { InitializableOptions } from '../initializable.js';
import { Linear } from '../linear.js';

/** Options of {@link ShallowEnergyComputer}. */
export interface ShallowEnergyComputerOptions extends InitializableOptions {
  /** Whether there is a bias, which weights do not depend on. Default false. */
  readonly useBias?: boolean | undefined;
}

/** Energies of match vectors: a `Tanh`, then a `Linear` (Blocks: `ShallowEnergyComputer`). */
export class ShallowEnergyComputer extends FeedforwardSequence {
  constructor(options: ShallowEnergyComputerOptions = {}) {
    super([new Tanh(), new Linear()], options);
    this.useBias = options.useBias ?? false;
  }

  protected override constructorArguments(options: BrickOptions): readonly unknown[] {
    return [options];
  }
}
