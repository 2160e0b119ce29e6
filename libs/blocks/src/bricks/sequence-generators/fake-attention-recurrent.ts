import type { Variable } from '@longrun/tensor';

import { application } from '../application.js';
import { AbstractAttentionRecurrent, type GivenVariables } from '../attention/abstract-attention-recurrent.js';
import type { Brick } from '../brick.js';
import type { InitializableOptions } from '../initializable.js';
import { statesOf } from '../recurrent/base-recurrent.js';
import { pick } from '../recurrent/given-variables.js';
import type { RecurrentCallOptions } from '../recurrent/call-options.js';
import type { NamedVariables } from '../tagging.js';

/** Options of {@link FakeAttentionRecurrent}. */
export interface FakeAttentionRecurrentOptions extends InitializableOptions {
  /** The recurrent brick. */
  readonly transition: Brick;
}

/** A recurrent brick in the clothes of one with attention, which takes no glimpses (Blocks: `FakeAttentionRecurrent`). */
export class FakeAttentionRecurrent extends AbstractAttentionRecurrent {
  override readonly transition: Brick;

  constructor(options: FakeAttentionRecurrentOptions) {
    super(options);
    this.transition = options.transition;
    this.addChild(this.transition);
  }

  @application({ delegate: ({ transition }: FakeAttentionRecurrent) => transition.application('apply') })
  override apply(given: GivenVariables, options: RecurrentCallOptions = {}): NamedVariables {
    return this.transition.application('apply').callAsRecord([given, options]);
  }

  /** None. */
  @application({ inputs: [], outputs: [] })
  override takeGlimpses(_given: NamedVariables): NamedVariables {
    return {};
  }

  @application({
    inputs: ({ transition }: FakeAttentionRecurrent) => transition.application('apply').inputs,
    outputs: ({ transition }: FakeAttentionRecurrent) => statesOf(transition),
  })
  override computeStates(given: NamedVariables): NamedVariables {
    const called = this.transition.application('apply');
    return pick(called.callAsRecord([given, { iterate: false }]), called.states);
  }

  /** Nothing. */
  @application({ inputs: [], outputs: [] })
  override preprocess(_contexts: NamedVariables): NamedVariables {
    return {};
  }

  override batchAxisOf(_context: string): number {
    return 0;
  }

  @application({
    inputs: ['batch_size'],
    outputs: ({ transition }: FakeAttentionRecurrent) => statesOf(transition),
  })
  override initialStates(batchSize: number | Variable, contexts: NamedVariables = {}): NamedVariables {
    return this.transition.application('initialStates').callAsRecord([batchSize, contexts]);
  }
}
