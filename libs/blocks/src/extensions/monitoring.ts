import type { Batch, DataStream } from '@longrun/fuel';
import { naming, StateKind, type VersionedState } from '@longrun/serialization';
import type { SharedVariable } from '@longrun/tensor';

import type { LogValue } from '../log/log-value.js';
import type { TrainingContext } from '../main-loop/training-context.js';
import type { Monitored } from '../monitoring/aggregator.js';
import { MonitoredQuantityBuffer } from '../monitoring/monitored-quantity-buffer.js';
import { DatasetEvaluator, type DatasetEvaluatorOptions } from '../monitoring/dataset-evaluator.js';
import { savedPart } from '../main-loop/saved-part.js';
import { SimpleExtension, type Conditions, type SimpleExtensionOptions } from './simple-extension.js';
import type { CallbackContext, CallbackName, ExtensionRestoring } from './training-extension.js';

/** Options of monitoring extensions. */
export interface MonitoringOptions extends SimpleExtensionOptions {
  /** Starts the names of the records, as in `test_cost`. Default none. */
  readonly prefix?: string;
  /** Ends the names of the records. Default none. */
  readonly suffix?: string;
}

/** An extension that writes values of variables to the log (Blocks: `MonitoringExtension`). */
export abstract class MonitoringExtension extends SimpleExtension {
  readonly prefix: string | undefined;
  readonly suffix: string | undefined;

  constructor(options: MonitoringOptions = {}, defaults: Conditions = {}) {
    super(options, defaults);
    this.prefix = options.prefix;
    this.suffix = options.suffix;
  }

  /** `prefix_name_suffix` */
  recordName(name: string): string {
    return [this.prefix, name, this.suffix].filter((part) => part !== undefined && part !== '').join('_');
  }

  /** Writes values to the current row. */
  protected record(values: Iterable<readonly [string, LogValue]>): void {
    const row = this.mainLoop.log.currentRow;
    for (const [name, value] of values) row[this.recordName(name)] = value;
  }
}

/** Options of {@link DataStreamMonitoring}. */
export interface DataStreamMonitoringOptions extends MonitoringOptions, DatasetEvaluatorOptions {
  /** What to monitor. Each has a name. */
  readonly variables: readonly Monitored[];
  /** Where on. Nothing else may read it. */
  readonly dataStream: DataStream;
}

/** Monitors variables on a whole pass of a data stream; by default before the first epoch and after each. */
export class DataStreamMonitoring extends MonitoringExtension {
  readonly dataStream: DataStream;
  readonly #evaluator: DatasetEvaluator;

  constructor(options: DataStreamMonitoringOptions) {
    super(options, { beforeFirstEpoch: true, afterEpoch: true });
    this.dataStream = options.dataStream;
    this.#evaluator = new DatasetEvaluator(options.variables, options);
  }

  override get updatedVariables(): readonly SharedVariable[] {
    return this.#evaluator.updatedVariables;
  }

  override get transientVariables(): readonly SharedVariable[] {
    return this.#evaluator.transientVariables;
  }

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    if (mainLoop.dataStream === this.dataStream) {
      throw new Error(
        `${this.name}: the data stream is that of training, which monitoring would use up; make another one`,
      );
    }
  }

  override async do(): Promise<void> {
    const onBatch = (): void => this.mainLoop.moved();
    this.record(await this.#evaluator.evaluate(this.dataStream, { ...this.mainLoop.target, onBatch }));
  }

  override state(): VersionedState {
    return { ...DATA_STREAM_MONITORING.head, dataStream: this.dataStream.state() };
  }

  override restore(state: VersionedState, { otherData = false }: ExtensionRestoring = {}): void {
    if (otherData) return;
    const read = DATA_STREAM_MONITORING.read(state, this.name);
    this.dataStream.restore(savedPart(this.name, read, 'dataStream'));
  }
}

const DATA_STREAM_MONITORING = new StateKind('DataStreamMonitoring', {
  version: 2,
  namedSince: 2,
  migrations: [naming('DataStreamMonitoring')],
});

/** Options of {@link TrainingDataMonitoring}. */
export interface TrainingDataMonitoringOptions extends MonitoringOptions {
  /** What to monitor. Each has a name. */
  readonly variables: readonly Monitored[];
}

/**
 * Monitors variables on the batches of training, as computed within each step before its updates. Writes to the log what came
 * of the batches since it did so last; on which conditions, must be said.
 */
export class TrainingDataMonitoring extends MonitoringExtension {
  readonly #buffer: MonitoredQuantityBuffer;

  constructor(options: TrainingDataMonitoringOptions) {
    super(options);
    this.#buffer = new MonitoredQuantityBuffer(this.name, options.variables);
  }

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    mainLoop.algorithm.observe(this.#buffer.requires);
  }

  override dispatch(callback: CallbackName, context: CallbackContext): void | Promise<void> {
    if (callback === 'afterBatch' && context.batch !== undefined) this.#add(context.batch);
    return super.dispatch(callback, context);
  }

  override do(): void {
    this.record(this.#buffer.getAggregatedValues());
    this.#buffer.initialize();
  }

  override state(): VersionedState {
    return { ...TRAINING_DATA_MONITORING.head, aggregators: this.#buffer.state() };
  }

  override restore(state: VersionedState): void {
    this.#buffer.restore(TRAINING_DATA_MONITORING.read(state, this.name)['aggregators'] ?? {});
  }

  #add(batch: Batch): void {
    const { algorithm, dataStream } = this.mainLoop;
    this.#buffer.aggregate((variable) => algorithm.observed(variable), algorithm.examplesIn(batch, dataStream));
  }
}

const TRAINING_DATA_MONITORING = new StateKind('TrainingDataMonitoring', {
  version: 2,
  namedSince: 2,
  migrations: [naming('TrainingDataMonitoring')],
});
