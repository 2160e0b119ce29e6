import type { BorderMode, Pair, Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Brick, BrickOptions, Dimension } from '../brick.js';
import type { InitializableOptions } from '../initializable.js';
import { lazy, requireLazies, type Lazy } from '../lazy.js';
import { firstInputs, lastOutputs, Sequence } from '../sequence.js';
import { Convolutional } from './convolutional.js';
import { imageDimension, isImageLayer, type ImageSize } from './image-shape.js';

/** Options of {@link ConvolutionalSequence}. */
export interface ConvolutionalSequenceOptions extends InitializableOptions {
  /** Channels of the input. May be set later. */
  readonly numChannels?: number | undefined;
  /** Rows and columns of the input. Default: only the data tell. */
  readonly imageSize?: ImageSize | undefined;
  /** That of all convolutions. Default: what each has. */
  readonly borderMode?: BorderMode | Pair | undefined;
  /** That of all convolutions. Default: what each has. */
  readonly tiedBiases?: boolean | undefined;
}

/**
 * Convolutions, poolings and what changes no shape, such as activations, one after the other (Blocks: `ConvolutionalSequence`). Each layer is told what
 * images it gets.
 */
export class ConvolutionalSequence extends Sequence {
  readonly layers: readonly Brick[];
  readonly numChannels: Lazy<number>;
  imageSize: ImageSize;
  borderMode: BorderMode | Pair | undefined;
  tiedBiases: boolean | undefined;

  constructor(layers: readonly Brick[], options: ConvolutionalSequenceOptions = {}) {
    super(layers, options);
    this.layers = [...layers];
    this.numChannels = lazy(options.numChannels, 'numChannels');
    this.imageSize = options.imageSize ?? [null, null];
    this.borderMode = options.borderMode;
    this.tiedBiases = options.tiedBiases;
  }

  @application({ inputs: firstInputs, outputs: lastOutputs })
  override apply(input: Variable): Variable {
    return this.chainToOne(input);
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    let [channels, size] = [this.numChannels.value, this.imageSize];
    for (const layer of this.layers) {
      if (!isImageLayer(layer)) continue;
      layer.takeImages(channels, size);
      requireLazies(layer);
      if (layer instanceof Convolutional) {
        if (this.borderMode !== undefined) layer.borderMode = this.borderMode;
        if (this.tiedBiases !== undefined) layer.tiedBiases = this.tiedBiases;
      }
      channels = layer.numOutputChannels;
      size = layer.outputSize;
    }
  }

  protected override constructorArguments(options: BrickOptions): readonly unknown[] {
    return [this.layers, options];
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    const channels = this.numChannels.isSet ? this.numChannels.value : undefined;
    if (this.application('apply').inputs?.includes(name) === true) return imageDimension(channels, this.imageSize);
    if (name !== 'output' || channels === undefined) return super.dimensionOf(name);
    if (!this.allocationConfigPushed) this.pushAllocationConfig();
    const last = this.layers.findLast(isImageLayer);
    return last === undefined
      ? imageDimension(channels, this.imageSize)
      : imageDimension(last.numOutputChannels, last.outputSize);
  }
}
