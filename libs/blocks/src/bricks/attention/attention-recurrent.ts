import { at, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import { currentCall } from '../application-call.js';
import type { Brick, Dimension } from '../brick.js';
import type { InitializableOptions } from '../initializable.js';
import { Distribute } from '../parallel/distribute.js';
import { inputsOf, sizeOf, statesOf } from '../recurrent/base-recurrent.js';
import type { RecurrentCallOptions } from '../recurrent/call-options.js';
import { givenVariables, pick } from '../recurrent/given-variables.js';
import { recurrent } from '../recurrent/recurrent.js';
import type { NamedVariables } from '../tagging.js';
import type { AbstractAttention } from './abstract-attention.js';
import { AbstractAttentionRecurrent, glimpsesOf, type GivenVariables } from './abstract-attention-recurrent.js';

/** Options of {@link AttentionRecurrent}. */
export interface AttentionRecurrentOptions extends InitializableOptions {
  /** The recurrent brick that gets the glimpses. */
  readonly transition: Brick;
  /** What takes them. */
  readonly attention: AbstractAttention;
  /** What adds the first glimpse to the inputs of the transition. Default: a `Distribute` to all of them but the mask. */
  readonly distribute?: Distribute | undefined;
  /**
   * Whether what is attended to is a context besides those of the transition. Default true; else it is the first context of the transition, and its mask the
   * second.
   */
  readonly addContexts?: boolean | undefined;
  /** What is attended to is given by this name. Default `attended`. */
  readonly attendedName?: string | undefined;
  /** Its mask is given by this name. Default `attended_mask`. */
  readonly attendedMaskName?: string | undefined;
}

/**
 * A recurrent brick that sees a glimpse of a sequence with each step (Blocks: `AttentionRecurrent`): it is taken by what the states before the step are, and
 * added to the inputs of the transition.
 *
 * `apply({ inputs, attended, attended_mask })` gives the states of the transition and the glimpses, such as `weighted_averages` (time, batch, dim) and `weights` (time,
 * batch, attended time). A mask leaves states as they are, not glimpses. Children: the transition, the attention, the distribute.
 */
export class AttentionRecurrent extends AbstractAttentionRecurrent {
  override readonly transition: Brick;
  readonly attention: AbstractAttention;
  readonly distribute: Distribute;
  readonly addContexts: boolean;
  readonly attendedName: string;
  readonly attendedMaskName: string;

  /** @throws Error without `addContexts` where the transition has not two contexts */
  constructor(options: AttentionRecurrentOptions) {
    super(options);
    this.transition = options.transition;
    this.attention = options.attention;
    this.addContexts = options.addContexts ?? true;
    const [first, second] = this.addContexts ? [] : contextsOf(this.transition);
    if (!this.addContexts && (first === undefined || second === undefined)) {
      throw new Error(
        `${this.uniquePath}: the transition ${this.transition.name} has the contexts ${contextsOf(this.transition).join(', ') || 'none'}; ` +
          'without addContexts give one that has what is attended to and its mask as contexts',
      );
    }
    this.attendedName = options.attendedName ?? first ?? 'attended';
    this.attendedMaskName = options.attendedMaskName ?? second ?? 'attended_mask';
    this.distribute =
      options.distribute ??
      new Distribute({ targetNames: inputsOf(this.transition), sourceName: at(glimpsesOf(this.attention), 0) });
    for (const brick of [this.transition, this.attention, this.distribute]) this.addChild(brick);
  }

  /** The states of the transition and the glimpses by name, each (time, batch, ...). */
  @application({
    inputs: (brick: AttentionRecurrent) =>
      brick.application('doApply').inputs?.filter((name) => name !== brick.preprocessedName),
    contexts: contextNames,
    delegate: (brick: AttentionRecurrent) => brick.application('doApply'),
  })
  override apply(given: GivenVariables, options: RecurrentCallOptions = {}): NamedVariables {
    const variables = givenVariables(currentCall().application, given);
    return this.doApply({ ...variables, ...this.preprocess(variables) }, options);
  }

  /** {@link apply}, to which what {@link preprocess} makes is given. */
  doApply(given: NamedVariables, options?: RecurrentCallOptions): NamedVariables;
  @recurrent({
    sequences: (brick: AttentionRecurrent) => brick.transition.application('apply').sequences,
    states: (brick: AttentionRecurrent) => [...statesOf(brick.transition), ...glimpsesOf(brick.attention)],
    contexts: (brick: AttentionRecurrent) => [...contextNames(brick), brick.preprocessedName],
    outputs: (brick: AttentionRecurrent) => [...statesOf(brick.transition), ...glimpsesOf(brick.attention)],
  })
  doApply(given: NamedVariables): NamedVariables {
    const glimpses = this.takeGlimpses(pick(given, this.application('takeGlimpses').inputs ?? []));
    const names = this.application('computeStates').inputs ?? [];
    return { ...this.computeStates(pick({ ...given, ...glimpses }, names)), ...glimpses };
  }

  @application({
    inputs: (brick: AttentionRecurrent) => [
      ...statesOf(brick.transition),
      // Those of the step before, where the attention asks for them.
      ...glimpsesOf(brick.attention).filter((name) => inputsOfGlimpse(brick).includes(name)),
      brick.attendedName,
      brick.preprocessedName,
      brick.attendedMaskName,
    ],
    outputs: (brick: AttentionRecurrent) => glimpsesOf(brick.attention),
  })
  override takeGlimpses(given: NamedVariables): NamedVariables {
    const [preprocessed, mask] = [given[this.preprocessedName], given[this.attendedMaskName]];
    return this.attention.takeGlimpses({
      ...pick(given, inputsOfGlimpse(this)),
      attended: this.#attendedOf(given),
      ...(preprocessed === undefined ? {} : { preprocessed_attended: preprocessed }),
      ...(mask === undefined ? {} : { attended_mask: mask }),
    });
  }

  @application({
    inputs: (brick: AttentionRecurrent) => [
      ...(brick.transition.application('apply').inputs ?? []),
      ...glimpsesOf(brick.attention),
    ],
    outputs: (brick: AttentionRecurrent) => statesOf(brick.transition),
  })
  override computeStates(given: NamedVariables): NamedVariables {
    const inputs = this.distribute.apply(pick(given, this.distribute.application('apply').inputs ?? []));
    const called = this.transition.application('apply');
    return pick(
      called.callAsRecord([pick({ ...given, ...inputs }, called.inputs ?? []), { iterate: false }]),
      called.states,
    );
  }

  @application({
    inputs: contextNames,
    outputs: (brick: AttentionRecurrent) => [brick.preprocessedName],
  })
  override preprocess(contexts: NamedVariables): NamedVariables {
    return { [this.preprocessedName]: this.attention.preprocess(this.#attendedOf(contexts)) };
  }

  override batchAxisOf(context: string): number {
    return [this.attendedName, this.attendedMaskName, this.preprocessedName].includes(context) ? 1 : 0;
  }

  /** The states before the first step, and what stands for the glimpses before the first one. */
  @application({ inputs: ['batch_size'], outputs: (brick: AttentionRecurrent) => brick.application('doApply').states })
  override initialStates(batchSize: number | Variable, contexts: NamedVariables = {}): NamedVariables {
    const own = pick(contexts, contextsOf(this.transition));
    return {
      ...this.transition.application('initialStates').callAsRecord([batchSize, own]),
      ...this.attention.initialGlimpses(batchSize, this.#attendedOf(contexts)),
    };
  }

  /** What is attended to, preprocessed, is given by this name. */
  get preprocessedName(): string {
    return `preprocessed_${this.attendedName}`;
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    this.transition.pushAllocationConfig();
    const { attention, distribute } = this;
    for (const [place, name] of attention.stateNames.entries()) {
      at(attention.stateDims, place).value = sizeOf(this.transition, name);
    }
    if (!this.addContexts) attention.attendedDim.value = sizeOf(this.transition, this.attendedName);
    distribute.sourceDim.value = sizeOf(attention, distribute.sourceName);
    for (const [place, name] of [...distribute.transforms.keys()].entries()) {
      at(distribute.targetDims, place).value = sizeOf(this.transition, name);
    }
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    const known: Readonly<Record<string, string>> = {
      [this.attendedName]: 'attended',
      [this.preprocessedName]: 'preprocessed_attended',
      [this.attendedMaskName]: 'attended_mask',
    };
    const own = known[name] ?? (glimpsesOf(this.attention).includes(name) ? name : undefined);
    return own !== undefined && this.attention.hasDim(own) ? this.attention.getDim(own) : super.dimensionOf(name);
  }

  #attendedOf(given: NamedVariables): Variable {
    const attended = given[this.attendedName];
    if (attended !== undefined) return attended;
    throw new Error(`${this.uniquePath} is not given ${this.attendedName}, to which it attends; give it by that name`);
  }
}

function inputsOfGlimpse({ attention }: AttentionRecurrent): readonly string[] {
  return attention.application('takeGlimpses').inputs ?? [];
}

function contextsOf(transition: Brick): readonly string[] {
  return transition.application('apply').contexts;
}

function contextNames({
  transition,
  addContexts,
  attendedName,
  attendedMaskName,
}: AttentionRecurrent): readonly string[] {
  return addContexts ? [...contextsOf(transition), attendedName, attendedMaskName] : contextsOf(transition);
}
