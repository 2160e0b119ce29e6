import { sum, zeros, zerosLike, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import type { InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { AbstractEmitter, type Emission } from './abstract-emitter.js';

/** Options of {@link TrivialEmitter}. */
export interface TrivialEmitterOptions extends InitializableOptions {
  /** Size of a readout, and of an output. May be set later. */
  readonly readoutDim?: number | undefined;
}

/** Readouts are the outputs, and cost nothing: train by a cost of your own. */
export class TrivialEmitter extends AbstractEmitter {
  override readonly readoutDim: Lazy<number>;

  constructor(options: TrivialEmitterOptions = {}) {
    super(options);
    this.readoutDim = lazy(options.readoutDim, 'readoutDim');
  }

  @application({ inputs: ['readouts'], outputs: ['outputs'] })
  override emit(readouts: Variable): Emission {
    return { outputs: readouts };
  }

  @application({ inputs: ['readouts', 'outputs'], outputs: ['cost'] })
  override cost(_readouts: Variable, outputs: Variable): Variable {
    return sum(zerosLike(outputs), { axis: -1 });
  }

  /** Zeros. */
  @application({ inputs: ['batch_size'], outputs: ['outputs'] })
  override initialOutputs(batchSize: number | Variable): Variable {
    return zeros([batchSize, this.readoutDim.value]);
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    const isKnown = (name === 'readouts' || name === 'outputs') && this.readoutDim.isSet;
    return isKnown ? this.readoutDim.value : super.dimensionOf(name);
  }
}
