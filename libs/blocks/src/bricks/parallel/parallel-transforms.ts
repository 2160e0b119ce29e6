import type { Variable } from '@longrun/tensor';

import type { Brick } from '../brick.js';
import type { Feedforward } from '../feedforward.js';
import { Initializable, type InitializableOptions } from '../initializable.js';
import { lazyEach, type Lazy } from '../lazy.js';
import type { NamedVariables } from '../tagging.js';

/** What the transforms of {@link ParallelTransforms} are made of. */
export interface TransformsDefinition {
  /** One transform for each. */
  readonly names: readonly string[];
  /** Begins the names of the transforms: `transform_<name>`. */
  readonly prefix: string;
  /** What is copied for each. */
  readonly prototype: Brick & Feedforward;
}

/** Copies of one brick side by side, each with a name and sizes of its own: what `Parallel`, `Fork`, `Merge` and `Distribute` have in common. */
export abstract class ParallelTransforms extends Initializable {
  /** The transforms by name, in order. */
  readonly transforms: ReadonlyMap<string, Brick & Feedforward>;

  constructor(options: InitializableOptions, { names, prefix, prototype }: TransformsDefinition) {
    super(options);
    this.transforms = new Map(names.map((name) => [name, prototype.copy(`${prefix}_${name}`)]));
    for (const brick of this.transforms.values()) this.addChild(brick);
  }

  /** The sizes of the input and the output of the transform at a place. */
  protected abstract sizesAt(place: number): { readonly input: Lazy<number>; readonly output: Lazy<number> };

  protected override pushAllocation(): void {
    super.pushAllocation();
    for (const [place, transform] of [...this.transforms.values()].entries()) {
      const { input, output } = this.sizesAt(place);
      transform.inputDim.value = input.value;
      transform.outputDim.value = output.value;
    }
  }

  /** What each transform makes of what `inputOf` has for it. */
  protected transformed(inputOf: (name: string) => Variable): NamedVariables {
    return Object.fromEntries([...this.transforms].map(([name, transform]) => [name, transform.apply(inputOf(name))]));
  }

  /** One of the variables that this was called with. @throws Error where it is missing */
  protected given(variables: NamedVariables, name: string): Variable {
    const variable = variables[name];
    if (variable !== undefined) return variable;
    const names = this.application('apply').inputs ?? [];
    throw new Error(`${this.uniquePath}.apply is not given ${name}; call it with { ${names.join(', ')} }`);
  }

  /** The size of one of `dims` by the name of its transform, undefined where it is not set. */
  protected dimOf(dims: readonly Lazy<number>[], name: string): number | undefined {
    const dim = dims[[...this.transforms.keys()].indexOf(name)];
    return dim?.isSet === true ? dim.value : undefined;
  }

  /** Sizes, one for each transform, as arguments that may be set later. @throws Error where there are others */
  protected lazyDims(what: string, dims: readonly (number | undefined)[] | undefined): Lazy<number>[] {
    return lazyEach(this, what, dims, this.transforms.size);
  }
}
