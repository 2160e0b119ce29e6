import type { AbstractAttention } from '../attention/abstract-attention.js';
import { AttentionRecurrent } from '../attention/attention-recurrent.js';
import type { Brick, BrickOptions } from '../brick.js';
import type { InitializableOptions } from '../initializable.js';
import { Fork } from '../parallel/fork.js';
import { inputsOf } from '../recurrent/base-recurrent.js';
import type { AbstractReadout } from './abstract-readout.js';
import { BaseSequenceGenerator } from './base-sequence-generator.js';
import { FakeAttentionRecurrent } from './fake-attention-recurrent.js';

/** Options of {@link SequenceGenerator}. */
export interface SequenceGeneratorOptions extends InitializableOptions {
  readonly readout: AbstractReadout;
  /** The recurrent brick. */
  readonly transition: Brick;
  /** What takes glimpses. Default: none are taken. */
  readonly attention?: AbstractAttention | undefined;
  /** Whether what is attended to is a context besides those of the transition. Default true. */
  readonly addContexts?: boolean | undefined;
  /** What makes the inputs of the transition of what is fed back. Default: a `Fork` to all of them but the mask. */
  readonly fork?: Fork | undefined;
}

/**
 * A sequence generator with or without attention (Blocks: `SequenceGenerator`): its transition is an `AttentionRecurrent` named `att_trans`, or a
 * {@link FakeAttentionRecurrent} named `with_fake_attention`.
 */
export class SequenceGenerator extends BaseSequenceGenerator {
  readonly #options: SequenceGeneratorOptions;

  constructor(options: SequenceGeneratorOptions) {
    const { transition, attention, addContexts, fork, ...rest } = options;
    super({
      ...rest,
      fork: fork ?? new Fork({ outputNames: inputsOf(transition) }),
      transition:
        attention === undefined
          ? new FakeAttentionRecurrent({ name: 'with_fake_attention', transition })
          : new AttentionRecurrent({ name: 'att_trans', transition, attention, addContexts }),
    });
    this.#options = options;
  }

  protected override constructorArguments({ name }: BrickOptions): readonly unknown[] {
    return [{ ...this.#options, name }];
  }
}
