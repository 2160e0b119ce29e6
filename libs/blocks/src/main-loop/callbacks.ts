import type { ExtensionList } from '../extensions/extension-list.js';
import type { CallbackContext, CallbackName } from '../extensions/training-extension.js';
import type { LoopProfile } from './loop-profile.js';
import type { TrainingWatch } from './training-watch.js';

/** Calls the extensions of a main loop, one after the other, and then does what they asked for at the step boundary. */
export class Callbacks {
  readonly #extensions: ExtensionList;
  readonly #profile: LoopProfile;
  readonly #watch: TrainingWatch;
  #atBoundary: (() => void | Promise<void>)[] = [];

  constructor(extensions: ExtensionList, profile: LoopProfile, watch: TrainingWatch) {
    this.#extensions = extensions;
    this.#profile = profile;
    this.#watch = watch;
  }

  /** Has `action` done once all extensions have had the present callback. */
  atStepBoundary(action: () => void | Promise<void>): void {
    this.#atBoundary.push(action);
  }

  async dispatch(callback: CallbackName, context: CallbackContext = {}): Promise<void> {
    // Entering and leaving sections would be most of what is done here, where extensions have nothing to do.
    if (this.#profile.isDetailed)
      return await this.#profile.timed(callback, () => this.#dispatchProfiled(callback, context));
    for (const extension of this.#extensions) {
      this.#watch.at(callback, extension);
      const pending = extension.dispatch(callback, context);
      if (pending !== undefined) await pending;
    }
    if (this.#atBoundary.length > 0) await this.#actAtBoundary();
  }

  async #dispatchProfiled(callback: CallbackName, context: CallbackContext): Promise<void> {
    for (const extension of this.#extensions) {
      this.#watch.at(callback, extension);
      await this.#profile.timed(extension.name, async () => await extension.dispatch(callback, context));
    }
    if (this.#atBoundary.length > 0) await this.#profile.timed('saving', () => this.#actAtBoundary());
  }

  async #actAtBoundary(): Promise<void> {
    const actions = this.#atBoundary;
    this.#atBoundary = [];
    this.#watch.at('saving');
    for (const action of actions) await action();
  }
}
