import { RandomStreams } from '@longrun/serialization';

import {
  FinishAfter,
  GradientDescent,
  MainLoop,
  TrainingExtension,
  type CallbackContext,
  type CallbackName,
  type TrainingContext,
  type TrainingLog,
} from '../src/index.js';
import { sequential, tinyDataset, tinyModel } from './tiny-experiment.js';

/** Notes the callbacks it gets, and does something at one of them. */
export class Witness extends TrainingExtension {
  readonly seen: string[] = [];
  readonly withBatch = new Set<string>();
  readonly at: (callback: CallbackName, mainLoop: TrainingContext) => void;
  readonly events: string[];
  constructor(
    at: (callback: CallbackName, mainLoop: TrainingContext) => void = () => undefined,
    events: string[] = [],
    name = 'Witness',
  ) {
    super({ name });
    this.at = at;
    this.events = events;
  }
  override dispatch(callback: CallbackName, context: CallbackContext): void {
    this.seen.push(callback);
    this.events.push(`${this.name} ${callback}`);
    if (context.batch !== undefined) this.withBatch.add(callback);
    this.at(callback, this.mainLoop);
  }
}

/** Two epochs of two batches. */
export function small(
  extensions: readonly TrainingExtension[],
  options: { epochs?: number; log?: TrainingLog } = {},
): MainLoop {
  const random = new RandomStreams(1);
  const { cost } = tinyModel(random);
  return new MainLoop({
    algorithm: new GradientDescent({ cost }),
    dataStream: sequential(tinyDataset(8), 4),
    engine: 'reference',
    threads: 1,
    extensions: [...extensions, new FinishAfter({ afterNEpochs: options.epochs ?? 2 })],
    ...(options.log === undefined ? {} : { log: options.log }),
  });
}

/** Callbacks of a batch. */
export const BATCH = ['beforeBatch', 'afterBatch'];
/** Callbacks of an epoch of `small`. */
export const EPOCH = ['beforeEpoch', ...BATCH, ...BATCH, 'afterEpoch'];
