import type { SharedVariable } from '@longrun/tensor';
import { StateKind, type VersionedState } from '@longrun/serialization';

import type { TrainingContext } from '../main-loop/training-context.js';
import { ExtensionList } from './extension-list.js';
import { SimpleExtension, type Conditions, type SimpleExtensionOptions } from './simple-extension.js';
import type { CallbackContext, CallbackName, ExtensionRestoring, TrainingExtension } from './training-extension.js';

/** Options of {@link CompositeExtension}. */
export interface CompositeExtensionOptions extends SimpleExtensionOptions {
  /** Whether its own action comes before those of the extensions that it is made of. Default true. */
  readonly runBeforeChildren?: boolean;
}

/** An extension that is made of others, which are given to it and not to the main loop (Blocks: `CompositeExtension`). */
export class CompositeExtension extends SimpleExtension {
  readonly subExtensions: readonly TrainingExtension[];
  readonly #children: ExtensionList;
  readonly #runBeforeChildren: boolean;

  constructor(
    subExtensions: readonly TrainingExtension[],
    options: CompositeExtensionOptions = {},
    defaults: Conditions = {},
  ) {
    super(options, defaults);
    this.subExtensions = [...subExtensions];
    this.#children = new ExtensionList(subExtensions);
    this.#runBeforeChildren = options.runBeforeChildren ?? true;
  }

  override get updatedVariables(): readonly SharedVariable[] {
    return this.subExtensions.flatMap(({ updatedVariables }) => updatedVariables);
  }

  override get transientVariables(): readonly SharedVariable[] {
    return this.subExtensions.flatMap(({ transientVariables }) => transientVariables);
  }

  override plannedEnd(batchesPerEpoch: number | null): number | null {
    const ends = this.subExtensions
      .map((extension) => extension.plannedEnd(batchesPerEpoch))
      .filter((end) => end !== null);
    return ends.length === 0 ? null : Math.min(...ends);
  }

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    for (const extension of this.subExtensions) extension.attach(mainLoop);
  }

  override async dispatch(callback: CallbackName, context: CallbackContext): Promise<void> {
    if (this.#runBeforeChildren) await super.dispatch(callback, context);
    for (const extension of this.subExtensions) await extension.dispatch(callback, context);
    if (!this.#runBeforeChildren) await super.dispatch(callback, context);
  }

  /** Nothing of its own. For overriding. */
  override do(_callback: CallbackName, _context: CallbackContext, _args: readonly unknown[]): void | Promise<void> {}

  override async settle(): Promise<void> {
    await this.#children.settle();
  }

  override state(): VersionedState | undefined {
    const extensions = this.#children.states();
    return Object.keys(extensions).length === 0 ? undefined : { ...COMPOSITE.head, extensions };
  }

  override restore(state: VersionedState, options: ExtensionRestoring = {}): void {
    this.#children.restore(COMPOSITE.read(state, this.name)['extensions'] ?? {}, options);
  }
}

const COMPOSITE = new StateKind('CompositeExtension', { version: 1 });
