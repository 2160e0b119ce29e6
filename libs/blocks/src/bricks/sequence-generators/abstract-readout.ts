import { cast, mul, neg, type SharedVariable, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import { Initializable, type InitializableOptions } from '../initializable.js';
import { lazy, lazyEach, type Lazy } from '../lazy.js';
import type { NamedVariables } from '../tagging.js';
import type { Emission } from './abstract-emitter.js';

/** Options of {@link AbstractReadout}. */
export interface AbstractReadoutOptions extends InitializableOptions {
  /** What readouts are made of: states, glimpses and contexts of the generator by their names, and `feedback`. */
  readonly sourceNames: readonly string[];
  /** Size of a readout. May be set later. */
  readonly readoutDim?: number | undefined;
}

/**
 * The part of a sequence generator that turns what it knows into outputs (Blocks: `AbstractReadout`): sources into readouts, these into outputs and
 * costs, and outputs into what the next step is told of them.
 *
 * What is made of sources at once, `costs`, `allScores`, `scores` and `sample`, is that of blocks-extras' second design.
 */
export abstract class AbstractReadout extends Initializable {
  readonly sourceNames: readonly string[];
  /** Size of each source, set by the generator. */
  readonly sourceDims: readonly Lazy<number>[];
  readonly readoutDim: Lazy<number>;

  constructor(options: AbstractReadoutOptions) {
    super(options);
    this.sourceNames = options.sourceNames;
    this.sourceDims = lazyEach<number>(this, 'sourceDims', undefined, options.sourceNames.length);
    this.readoutDim = lazy(options.readoutDim, 'readoutDim');
  }

  /** Whether {@link emit} draws random numbers. */
  get draws(): boolean {
    return false;
  }

  /** What {@link emit} draws from at first; undefined where it draws nothing. Throws before `allocate()` where it does. */
  get randomState(): SharedVariable | undefined {
    return undefined;
  }

  /** Readouts (..., readoutDim) of the sources by name, each (..., dim). */
  abstract readout(sources: NamedVariables): Variable;

  /** Outputs (batch, ...) of readouts (batch, readoutDim). */
  abstract emit(readouts: Variable, randomState?: Variable): Emission;

  /** What each output costs: (...) of readouts (..., readoutDim). */
  abstract cost(readouts: Variable, outputs: Variable): Variable;

  /** What stands for the outputs before the first one. */
  abstract initialOutputs(batchSize: number | Variable): Variable;

  /** What the next step is told of outputs. */
  abstract feedback(outputs: Variable): Variable;

  /** The logarithms of the probabilities (..., outputs) of all outputs that there may be. @throws Error where they cannot be counted */
  abstract scores(sources: NamedVariables): Variable;

  /** What each output costs, of the sources that it is made of; 0 where the mask is. */
  @application({ inputs: ['outputs', 'sources', 'mask'], outputs: ['costs'] })
  costs(outputs: Variable, sources: NamedVariables, mask?: Variable): Variable {
    const costs = this.cost(this.readout(sources), outputs);
    return mask === undefined ? costs : mul(costs, cast(mask, costs.dtype));
  }

  /** How good each given output is: the logarithm of its probability where that is what it costs. */
  @application({ inputs: ['outputs', 'sources', 'mask'], outputs: ['scores'] })
  allScores(outputs: Variable, sources: NamedVariables, mask?: Variable): Variable {
    return neg(this.costs(outputs, sources, mask));
  }

  /** Outputs (batch, ...) of sources (batch, dim). */
  @application({ inputs: ['sources', 'random_state'], outputs: ['outputs', 'random_state'] })
  sample(sources: NamedVariables, randomState?: Variable): Emission {
    return this.emit(this.readout(sources), randomState);
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    return name === 'readouts' && this.readoutDim.isSet ? this.readoutDim.value : super.dimensionOf(name);
  }
}
