import type { Activity, CallbackName, TrainingExtension, TrainingWatch } from '@longrun/blocks';
import type { ParentLink } from '@longrun/platform/child';

/** Says to the worker how training moves, and where it is. */
export class Progress implements TrainingWatch {
  readonly #parent: ParentLink;
  readonly #places = new Map<string, number>();
  /** Callbacks of extensions, found without making up their names anew. */
  readonly #callbacks = new Map<TrainingExtension, Map<string, number>>();

  constructor(parent: ParentLink) {
    this.#parent = parent;
  }

  at(activity: Activity | CallbackName, extension?: TrainingExtension): void {
    this.#parent.at(extension === undefined ? this.#place(activity) : this.#callback(activity, extension));
  }

  /** It comes to something before or after training. */
  atStage(stage: string): void {
    this.#parent.at(this.#place(stage));
  }

  moved(): void {
    this.#parent.moved();
  }

  stepped(): void {
    this.#parent.stepped();
  }

  #callback(callback: string, extension: TrainingExtension): number {
    let places = this.#callbacks.get(extension);
    if (places === undefined) this.#callbacks.set(extension, (places = new Map()));
    let place = places.get(callback);
    if (place === undefined) places.set(callback, (place = this.#place(`callback ${callback} of ${extension.name}`)));
    return place;
  }

  #place(name: string): number {
    let place = this.#places.get(name);
    if (place === undefined) this.#places.set(name, (place = this.#parent.place(name)));
    return place;
  }
}
