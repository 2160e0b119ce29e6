import type { Variable } from '@longrun/tensor';

import { application } from './application.js';
import type { BoundApplication } from './bound-application.js';
import { Brick, type BrickOptions } from './brick.js';
import { Initializable, type InitializableOptions } from './initializable.js';

/**
 * Applications one after the other: the outputs of each are the inputs of the next (Blocks: `Sequence`). A brick stands for
 * its `apply`. The bricks become children.
 */
export class Sequence extends Initializable {
  readonly applicationMethods: readonly BoundApplication[];

  /** @param applicationMethods at least one */
  constructor(applicationMethods: readonly (Brick | BoundApplication)[], options: InitializableOptions = {}) {
    super(options);
    this.applicationMethods = applicationMethods.map((method) =>
      method instanceof Brick ? method.application('apply') : method,
    );
    if (applicationMethods.length === 0) {
      throw new Error(`${this.uniquePath}: there are no application methods; give at least one brick`);
    }
    for (const brick of new Set(this.applicationMethods.map((method) => method.brick))) this.addChild(brick);
  }

  @application({ inputs: firstInputs, outputs: lastOutputs })
  apply(...inputs: Variable[]): Variable | readonly Variable[] {
    const outputs = this.chain(inputs);
    const [first] = outputs;
    return outputs.length === 1 && first !== undefined ? first : outputs;
  }

  /** The output of the last application. @throws Error where there are more */
  protected chainToOne(input: Variable): Variable {
    const [output, ...more] = this.chain([input]);
    if (output !== undefined && more.length === 0) return output;
    throw new Error(`${this.uniquePath}.apply gave ${more.length + 1} outputs; use Sequence for more than one`);
  }

  protected override constructorArguments(options: BrickOptions): readonly unknown[] {
    return [this.applicationMethods, options];
  }

  /** The outputs of the last application. */
  protected chain(inputs: readonly Variable[]): readonly Variable[] {
    return this.applicationMethods.reduce<readonly Variable[]>((values, method) => method.call(values), inputs);
  }
}

/** The inputs of the first application. */
export function firstInputs(sequence: Sequence): readonly string[] | undefined {
  return sequence.applicationMethods[0]?.inputs;
}

/** The outputs of the last application. */
export function lastOutputs(sequence: Sequence): readonly string[] | undefined {
  return sequence.applicationMethods.at(-1)?.outputs;
}
