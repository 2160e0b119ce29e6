import { StateMismatch, type Json } from '@longrun/serialization';

import { savedPart } from '../main-loop/saved-part.js';
import type { ExtensionRestoring, TrainingExtension } from './training-extension.js';

/** The extensions of a main loop, in order, with their states by name. */
export class ExtensionList implements Iterable<TrainingExtension> {
  readonly #extensions: readonly TrainingExtension[];

  constructor(extensions: readonly TrainingExtension[]) {
    this.#extensions = [...extensions];
  }

  [Symbol.iterator](): Iterator<TrainingExtension> {
    return this.#extensions[Symbol.iterator]();
  }

  /** @throws Error unless exactly one has that name */
  find(name: string): TrainingExtension {
    const [found, ...more] = this.#extensions.filter((extension) => extension.name === name);
    if (found !== undefined && more.length === 0) return found;
    throw new Error(
      found === undefined
        ? `There is no extension named ${name}; there are ${this.#extensions.map((extension) => extension.name).join(', ') || 'none'}`
        : `There are ${more.length + 1} extensions named ${name}; give each a name of its own`,
    );
  }

  /** What the extensions save, by name; `Name#2` for the second of a name. */
  states(): { readonly [name: string]: Json } {
    const states: [string, Json][] = [];
    for (const [key, extension] of this.#byKey()) {
      const state = extension.state();
      if (state !== undefined) states.push([key, state]);
    }
    return Object.fromEntries(states);
  }

  /** @throws StateMismatch when other extensions saved something than those here would */
  restore(saved: Json, options: ExtensionRestoring = {}): void {
    const byKey = this.#byKey();
    const states = new Set(Object.keys(saved ?? {}));
    const own = [...byKey].filter(([, extension]) => extension.state() !== undefined).map(([key]) => key);
    const missing = own.filter((key) => !states.has(key));
    const unknown = [...states].filter((key) => !own.includes(key));
    if (missing.length > 0 || unknown.length > 0) {
      throw new StateMismatch(
        `MainLoop: the extensions with a state differ from those that were saved (only now: ${missing.join(', ') || 'none'}; ` +
          `only then: ${unknown.join(', ') || 'none'}); build the main loop with the program that saved it`,
      );
    }
    for (const key of own) byKey.get(key)?.restore(savedPart('MainLoop', saved, key), options);
  }

  /** Waits for what extensions do in the background, for all of them, and then throws what failed first. */
  async settle(): Promise<void> {
    const results = await Promise.allSettled(this.#extensions.map((extension) => extension.settle()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #byKey(): Map<string, TrainingExtension> {
    const byKey = new Map<string, TrainingExtension>();
    for (const extension of this.#extensions) {
      let key = extension.name;
      for (let count = 2; byKey.has(key); count += 1) key = `${extension.name}#${count}`;
      byKey.set(key, extension);
    }
    return byKey;
  }
}
