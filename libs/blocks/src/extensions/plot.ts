import { StateKind, StateMismatch, type Json, type VersionedState } from '@longrun/serialization';

import { decodeLogValue, encodeLogValue } from '../log/log-value.js';
import type { TrainingContext } from '../main-loop/training-context.js';
import type { Output } from '../outputs/output.js';
import { awaitRecords } from './awaited-records.js';
import { svgOf } from './line-chart.js';
import { SimpleExtension, type SimpleExtensionOptions } from './simple-extension.js';

/** What is drawn in one figure. */
export interface PlotFigure {
  /** Names of records. */
  readonly channels: readonly string[];
  /** Default: the names of the channels. */
  readonly title?: string;
  /** Default `linear`. With `log`, values that are not positive are left out. */
  readonly yAxisType?: 'linear' | 'log';
}

/** Options of {@link Plot}. */
export interface PlotOptions extends SimpleExtensionOptions {
  /** Stands above the figures. */
  readonly documentName: string;
  /** The figures, from top to bottom: of each the records that are lines in it. */
  readonly channels: readonly (readonly string[] | PlotFigure)[];
  /** The file that is drawn, an SVG: `context.output('plot.svg')`. */
  readonly output: Output;
}

/**
 * Draws records of the log over the number of batches, as a file that is replaced whenever there are more; by default before the first epoch, after each, and after training
 * (Blocks: `Plot` of blocks-extras, which sent them to a server of Bokeh). The file is an output: it is saved with each checkpoint, and can be looked at while training
 * goes on.
 *
 * Of a record that is longer than 2000 points every other one is left out, as often as it takes.
 */
export class Plot extends SimpleExtension {
  readonly documentName: string;
  readonly figures: readonly PlotFigure[];
  readonly #output: Output;
  readonly #points = new Map<string, (readonly [number, number])[]>();

  /** @throws Error for a figure without channels */
  constructor(options: PlotOptions) {
    super(options, { beforeFirstEpoch: true, afterEpoch: true, afterTraining: true });
    this.documentName = options.documentName;
    this.figures = options.channels.map((figure) => ('channels' in figure ? figure : { channels: figure }));
    for (const { channels } of this.figures) {
      if (channels.length === 0)
        throw new Error(`${this.name}: a figure has no channels; name the records that it shows`);
      for (const channel of channels) this.#points.set(channel, []);
    }
    this.#output = options.output;
  }

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    awaitRecords(this.name, mainLoop.log, this.#points.keys());
  }

  override do(): void {
    const { currentRow, status } = this.mainLoop.log;
    for (const [channel, points] of this.#points) {
      const value = currentRow[channel];
      if (typeof value !== 'number') continue;
      if (points.at(-1)?.[0] === status.iterationsDone) points.pop();
      points.push([status.iterationsDone, value]);
      if (points.length > MOST_POINTS)
        this.#points.set(
          channel,
          points.filter((_, at) => at % 2 === 0),
        );
    }
    this.#output.write(this.#svg());
  }

  override state(): VersionedState {
    const points = [...this.#points].map(([channel, values]) => [
      channel,
      values.map((point) => encodeLogValue(point)),
    ]);
    return { ...PLOT.head, points: Object.fromEntries(points) };
  }

  override restore(state: VersionedState): void {
    const saved = new Map(Object.entries(PLOT.read(state, this.name)['points'] ?? {}));
    for (const channel of this.#points.keys()) this.#points.set(channel, pointsIn(this.name, saved.get(channel) ?? []));
  }

  #svg(): string {
    const charts = this.figures.map(({ channels, title = channels.join(', '), yAxisType = 'linear' }) => ({
      title,
      lines: channels.map((name) => ({ name, points: this.#points.get(name) ?? [] })),
      yAxis: yAxisType,
    }));
    return svgOf(this.documentName, charts);
  }
}

const MOST_POINTS = 2000;

const PLOT = new StateKind('Plot', { version: 1 });

function pointsIn(name: string, saved: Json): (readonly [number, number])[] {
  const points = decodeLogValue(saved);
  if (!Array.isArray(points))
    throw new StateMismatch(`${name}: its saved points are no list; the checkpoint is damaged`);
  return points.map((point: unknown) => {
    const [step, value] = Array.isArray(point) ? point : [];
    if (typeof step === 'number' && typeof value === 'number') return [step, value];
    throw new StateMismatch(`${name}: a saved point is not two numbers; the checkpoint is damaged`);
  });
}
