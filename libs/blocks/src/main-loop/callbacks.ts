import type { ExtensionList } from '../extensions/extension-list.js';
import type { CallbackContext, CallbackName, TrainingExtension } from '../extensions/training-extension.js';
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

  /** Undefined where nothing has to be waited for: a promise for each callback of each step would be most of what they take. */
  dispatch(callback: CallbackName, context: CallbackContext = {}): undefined | Promise<void> {
    // Entering and leaving sections would be most of what is done here, where extensions have nothing to do.
    if (this.#profile.isDetailed) return this.#profile.timed(callback, () => this.#dispatchProfiled(callback, context));
    return this.#dispatchTo(this.#extensions[Symbol.iterator](), callback, context);
  }

  #dispatchTo(
    extensions: Iterator<TrainingExtension>,
    callback: CallbackName,
    context: CallbackContext,
  ): undefined | Promise<void> {
    for (let next = extensions.next(); next.done !== true; next = extensions.next()) {
      this.#watch.at(callback, next.value);
      const pending = next.value.dispatch(callback, context);
      if (pending === undefined) continue;
      // A program without types may return what is no promise.
      return Promise.resolve(pending).then(() => this.#dispatchTo(extensions, callback, context));
    }
    return this.#atBoundary.length > 0 ? this.#actAtBoundary() : undefined;
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
