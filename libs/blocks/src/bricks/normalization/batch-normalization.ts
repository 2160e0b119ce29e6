import {
  add,
  dimshuffle,
  div,
  identity,
  isAllKnown,
  mean,
  mul,
  reshape,
  sqrt,
  sub,
  variance,
  type SharedVariable,
  type Variable,
} from '@longrun/tensor';

import { addAnnotation } from '../../graph/annotations.js';
import { Constant } from '../../initialization/constant.js';
import type { Initialization } from '../../initialization/initialization.js';
import type { RandomSource } from '../../initialization/random-source.js';
import {
  addRole,
  BATCH_NORM_DIVISOR,
  BATCH_NORM_MINIBATCH_ESTIMATE,
  BATCH_NORM_OFFSET,
  BATCH_NORM_POPULATION_MEAN,
  BATCH_NORM_POPULATION_STDEV,
  BATCH_NORM_SCALE_PARAMETER,
  BATCH_NORM_SHIFT_PARAMETER,
} from '../../roles.js';
import { application } from '../application.js';
import { currentCall, nameWithin } from '../application-call.js';
import { Brick, type BrickOptions, type Dimension } from '../brick.js';
import { imageDimension, type ImageLayer, type ImageSize } from '../convolution/image-shape.js';
import { lazy, type Lazy } from '../lazy.js';
import { isInTrainingMode } from '../training-mode.js';

/** Options of {@link BatchNormalization}. */
export interface BatchNormalizationOptions extends BrickOptions {
  /** The sizes of an example: a number, or those of all axes but the batch's. May be set later. */
  readonly inputDim?: Dimension | undefined;
  /** Along which of these axes there is one statistic for all elements. Default: none. */
  readonly broadcastable?: readonly boolean[] | undefined;
  /** Added to the variance of a batch. Default 1e-4. */
  readonly epsilon?: number | undefined;
  /** Default: 1 everywhere. */
  readonly scaleInit?: Initialization | undefined;
  /** Default: 0 everywhere. */
  readonly shiftInit?: Initialization | undefined;
  /** Only the mean is subtracted. Default false. */
  readonly meanOnly?: boolean | undefined;
  /** Whether there is a scale to be trained. Default true. */
  readonly learnScale?: boolean | undefined;
  /** Whether there is a shift to be trained. Default true. */
  readonly learnShift?: boolean | undefined;
}

/** What batch normalization subtracts and divides by. */
export interface BatchStatistics {
  readonly offset: Variable;
  /** None where only the mean is subtracted. */
  readonly divisor: Variable | undefined;
}

/**
 * Normalizes each element over the examples of a batch (Ioffe and Szegedy, 2015): `output = (input - mean) / stdev * scale + shift`. By default mean and
 * standard deviation are those of the population, for evaluation; `trainingMode(bricks, build)` and `applyTrainingMode(graph)` take
 * those of the batch, with `stdev = sqrt(variance + epsilon)`. What follows of these for the population is for the program to say: see
 * `getBatchNormalizationUpdates`.
 *
 * Parameters: `batch_norm_scale` BATCH_NORM_SCALE_PARAMETER, `batch_norm_shift` BATCH_NORM_SHIFT_PARAMETER. States: `population_mean`, from 0, and `population_stdev`,
 * from 1. All have the sizes of an example, with 1 along what is broadcastable.
 */
export class BatchNormalization extends Brick implements ImageLayer {
  readonly inputDim: Lazy<Dimension>;
  readonly broadcastable: readonly boolean[] | undefined;
  readonly epsilon: number;
  readonly scaleInit: Initialization;
  readonly shiftInit: Initialization;
  readonly meanOnly: boolean;
  readonly learnScale: boolean;
  readonly learnShift: boolean;

  constructor(options: BatchNormalizationOptions = {}) {
    super(options);
    this.inputDim = lazy(options.inputDim, 'inputDim');
    this.broadcastable = options.broadcastable;
    this.epsilon = options.epsilon ?? 1e-4;
    this.scaleInit = options.scaleInit ?? new Constant(1);
    this.shiftInit = options.shiftInit ?? new Constant(0);
    this.meanOnly = options.meanOnly ?? false;
    this.learnScale = options.learnScale ?? true;
    this.learnShift = options.learnShift ?? true;
  }

  /** The running mean. Throws before `allocate()`. */
  get populationMean(): SharedVariable {
    return this.stateNamed('population_mean');
  }

  /** The running standard deviation. Throws before `allocate()`, and where only the mean is subtracted. */
  get populationStdev(): SharedVariable {
    return this.stateNamed('population_stdev');
  }

  /** Channels of images, or the size of a row. */
  get numChannels(): number {
    return this.#sizes[0] ?? 0;
  }

  get numOutputChannels(): number {
    return this.numChannels;
  }

  get outputSize(): ImageSize {
    const [, rows = null, columns = null] = this.#sizes;
    return [rows, columns];
  }

  takeImages(numChannels: number, imageSize: ImageSize): void {
    const images = imageDimension(numChannels, imageSize);
    if (images !== undefined) this.inputDim.value = images;
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    const call = currentCall();
    const isTraining = isInTrainingMode(this, 'batch normalization');
    const { offset, divisor } = this.#tagged(isTraining ? this.statisticsOf(input) : this.#population, isTraining);
    call.metadata.set('trainingMode', isTraining);
    call.metadata.set('offset', offset);
    call.metadata.set('divisor', divisor);
    const centered = sub(input, offset);
    const normalized = divisor === undefined ? centered : div(centered, divisor);
    const scaled = this.learnScale && !this.meanOnly ? mul(normalized, this.#asRow('batch_norm_scale')) : normalized;
    return this.learnShift ? add(scaled, this.#asRow('batch_norm_shift')) : scaled;
  }

  /** Mean and standard deviation of a batch, (1, ...sizes). */
  statisticsOf(input: Variable): BatchStatistics {
    const shared = this.#shape.flatMap((size, axis) => (size === 1 && this.#sizes[axis] !== 1 ? [axis + 1] : []));
    const over = { axis: [0, ...shared], keepdims: true };
    // Of an input whose sizes only the data tell, those of the statistics are known all the same.
    const sized = (statistic: Variable): Variable =>
      isAllKnown(statistic.shape) ? statistic : reshape(statistic, [1, ...this.#shape]);
    return {
      offset: sized(mean(input, over)),
      divisor: this.meanOnly ? undefined : sized(sqrt(add(variance(input, over), this.epsilon))),
    };
  }

  protected override allocateParameters(): void {
    const shape = this.#shape;
    if (this.learnScale && !this.meanOnly) this.parameter('batch_norm_scale', shape, BATCH_NORM_SCALE_PARAMETER);
    if (this.learnShift) this.parameter('batch_norm_shift', shape, BATCH_NORM_SHIFT_PARAMETER);
    this.state('population_mean', shape, BATCH_NORM_POPULATION_MEAN);
    if (!this.meanOnly) this.state('population_stdev', shape, BATCH_NORM_POPULATION_STDEV, { initialValue: 1 });
  }

  protected override initializeParameters(random: RandomSource): void {
    for (const parameter of this.parameters) {
      const scheme = parameter.name === 'batch_norm_scale' ? this.scaleInit : this.shiftInit;
      scheme.initialize(parameter, this.randomFor(parameter, random));
    }
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    const isKnown = (name === 'input' || name === 'output') && this.inputDim.isSet;
    return isKnown ? this.inputDim.value : super.dimensionOf(name);
  }

  /** Along which axes of an example there is one statistic for all elements. */
  protected broadcastableFor(sizes: readonly number[]): readonly boolean[] {
    return this.broadcastable ?? sizes.map(() => false);
  }

  get #sizes(): readonly number[] {
    return [this.inputDim.value].flat();
  }

  /** Of parameters and states. */
  get #shape(): readonly number[] {
    const broadcastable = this.broadcastableFor(this.#sizes);
    if (broadcastable.length !== this.#sizes.length) {
      throw new Error(
        `${this.uniquePath}: broadcastable has ${broadcastable.length} entries but an example has ${this.#sizes.length} axes; give one for each`,
      );
    }
    return this.#sizes.map((size, axis) => (broadcastable[axis] === true ? 1 : size));
  }

  get #population(): BatchStatistics {
    return {
      offset: row(this.populationMean),
      divisor: this.meanOnly ? undefined : row(this.populationStdev),
    };
  }

  #asRow(parameter: string): Variable {
    return row(this.parameterNamed(parameter));
  }

  /** The statistics as this application has them: found by their roles, and replaced. */
  #tagged({ offset, divisor }: BatchStatistics, isTraining: boolean): BatchStatistics {
    const call = currentCall();
    const tagged = (statistic: Variable, name: 'offset' | 'divisor'): Variable => {
      const copy = identity(statistic);
      nameWithin(call.application, copy, name);
      addRole(copy, name === 'offset' ? BATCH_NORM_OFFSET : BATCH_NORM_DIVISOR);
      if (isTraining) addRole(copy, BATCH_NORM_MINIBATCH_ESTIMATE);
      addAnnotation(copy, this);
      addAnnotation(copy, call);
      return copy;
    };
    return {
      offset: tagged(offset, 'offset'),
      divisor: divisor === undefined ? undefined : tagged(divisor, 'divisor'),
    };
  }
}

/** Normalizes channels of images: one mean and standard deviation for all rows and columns of each (Blocks: `SpatialBatchNormalization`). */
export class SpatialBatchNormalization extends BatchNormalization {
  protected override broadcastableFor(sizes: readonly number[]): readonly boolean[] {
    return sizes.map((_, axis) => axis > 0);
  }
}

/** With an axis for the examples before its own. */
function row(variable: Variable): Variable {
  return dimshuffle(variable, ['x', ...variable.shape.keys()]);
}
