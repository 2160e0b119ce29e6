import { concatenate, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Brick, Dimension } from '../brick.js';
import { Initializable, type InitializableOptions } from '../initializable.js';
import type { NamedVariables } from '../tagging.js';
import type { RecurrentCallOptions } from './call-options.js';

/** A brick whose `apply` is recurrent: what `Bidirectional` and `RecurrentStack` are made of. */
export interface RecurrentBrick<Given = never, States extends NamedVariables = NamedVariables> extends Brick {
  apply(given: Given, options?: RecurrentCallOptions): States;
}

/** Options of {@link Bidirectional}. */
export interface BidirectionalOptions<Given, States extends NamedVariables> extends InitializableOptions {
  /** What is copied for each direction. */
  readonly prototype: RecurrentBrick<Given, States>;
}

/**
 * Two copies of a recurrent brick, `forward` and `backward`, of which one goes through the sequences from their start and the other from their end. It
 * takes what they take, and gives for each place what both give there, side by side: `(time, batch, 2 · dim)`.
 */
export class Bidirectional<Given = never, States extends NamedVariables = NamedVariables> extends Initializable {
  readonly forward: RecurrentBrick<Given, States>;
  readonly backward: RecurrentBrick<Given, States>;

  constructor(options: BidirectionalOptions<Given, States>) {
    super(options);
    this.forward = options.prototype.copy('forward');
    this.backward = options.prototype.copy('backward');
    for (const brick of [this.forward, this.backward]) this.addChild(brick);
  }

  @application({ delegate: ({ forward }: Bidirectional) => forward.application('apply') })
  apply(given: Given): { readonly [Name in keyof States]: Variable } {
    const [ahead, back] = [this.forward.apply(given), this.backward.apply(given, { reverse: true })];
    const joined = Object.entries(ahead).map(([name, state]) => [name, join(state, back[name])] as const);
    // Each state has its name.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return Object.fromEntries(joined) as { readonly [Name in keyof States]: Variable };
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (!this.forward.hasDim(name)) return super.dimensionOf(name);
    const dim = this.forward.getDim(name);
    const isJoined = this.application('apply').outputs?.includes(name) === true;
    return isJoined && typeof dim === 'number' ? 2 * dim : dim;
  }
}

function join(ahead: Variable, back: Variable | undefined): Variable {
  return back === undefined ? ahead : concatenate([ahead, back], 2);
}
