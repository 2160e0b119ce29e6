import type { CallbackName, TrainingExtension } from '../extensions/training-extension.js';

/** What a main loop is at besides a callback. */
export type Activity = 'compiling' | 'reading' | 'step' | 'saving';

/** Is told how training moves, at every turn, so that a host can tell one that is slow from one that is stuck. To be cheap. */
export interface TrainingWatch {
  /** It comes to something new: a callback of an extension, or something of its own. */
  at(activity: Activity | CallbackName, extension?: TrainingExtension): void;
  /** What it is at takes long, and goes on. */
  moved(): void;
  /** One more batch is done. */
  stepped(): void;
}

/** Tells another watch, once there is one. */
export class ForwardingWatch implements TrainingWatch {
  /** Whom it tells. Default nobody. */
  to: TrainingWatch | undefined;

  at(activity: Activity | CallbackName, extension?: TrainingExtension): void {
    this.to?.at(activity, extension);
  }

  moved(): void {
    this.to?.moved();
  }

  stepped(): void {
    this.to?.stepped();
  }
}
