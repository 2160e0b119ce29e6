import { at, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import { Bias } from '../bias.js';
import type { Brick } from '../brick.js';
import type { Feedforward } from '../feedforward.js';
import { Merge } from '../parallel/merge.js';
import { pick } from '../recurrent/given-variables.js';
import type { NamedVariables } from '../tagging.js';
import { AbstractReadout, type AbstractReadoutOptions } from './abstract-readout.js';

/** Options of {@link MergeReadout}. */
export interface MergeReadoutOptions extends AbstractReadoutOptions {
  /** Those of the sources that are merged. Default: all. */
  readonly mergeNames?: readonly string[] | undefined;
  /** What merges them. Default: a `Merge` of copies of `mergePrototype`. */
  readonly merge?: Merge | undefined;
  /** What is copied to transform each. Default: a `Linear` without a bias. */
  readonly mergePrototype?: (Brick & Feedforward) | undefined;
  /** What makes readouts of what was merged. Default: a `Bias`. */
  readonly postMerge?: (Brick & Feedforward) | undefined;
  /** Size of what was merged (blocks-extras: `merge_dim`). Default: that of a readout, `readoutDim` (blocks-extras: `post_merge_dim`). */
  readonly mergedDim?: number | undefined;
}

/** A readout that is made of the sum of what is made of each source (blocks-extras: `MergeReadout`). */
export abstract class MergeReadout extends AbstractReadout {
  readonly merging: Merge;
  readonly postMerge: Brick & Feedforward;
  readonly mergedDim: number | undefined;

  constructor(options: MergeReadoutOptions) {
    super(options);
    const inputNames = options.mergeNames ?? options.sourceNames;
    const unknown = inputNames.filter((name) => !this.sourceNames.includes(name));
    if (unknown.length > 0) {
      throw new Error(
        `${this.uniquePath}: mergeNames has ${unknown.join(', ')}; give names of sources: ${this.sourceNames.join(', ')}`,
      );
    }
    this.merging = options.merge ?? new Merge({ inputNames, prototype: options.mergePrototype });
    this.postMerge = options.postMerge ?? new Bias();
    this.mergedDim = options.mergedDim;
    for (const brick of [this.merging, this.postMerge]) this.addChild(brick);
  }

  /** Readouts, of the sum of what is made of the sources. */
  @application({ inputs: mergedNames, outputs: ['merged'] })
  merge(sources: NamedVariables): Variable {
    return this.postMerge.apply(this.merging.apply(pick(sources, mergedNames(this))));
  }

  @application({ inputs: ({ sourceNames }: MergeReadout) => sourceNames, outputs: ['readouts'] })
  override readout(sources: NamedVariables): Variable {
    return this.merge(pick(sources, mergedNames(this)));
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    const mergedDim = this.mergedDim ?? this.readoutDim.value;
    for (const [place, name] of mergedNames(this).entries()) {
      at(this.merging.inputDims, place).value = at(this.sourceDims, this.sourceNames.indexOf(name)).value;
    }
    this.merging.outputDim.value = mergedDim;
    this.postMerge.inputDim.value = mergedDim;
    this.postMerge.outputDim.value = this.readoutDim.value;
  }
}

function mergedNames({ merging }: MergeReadout): readonly string[] {
  return [...merging.transforms.keys()];
}
