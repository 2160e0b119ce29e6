import { AxisLabelsMismatchError } from '../errors.js';

/** Checks, once for each source, that its axes mean what a transformer expects (Fuel: the mixin `ExpectsAxisLabels`). */
export class ExpectsAxisLabels {
  readonly #what: string;
  readonly #checked = new Set<string>();

  /** @param what who expects them, for errors */
  constructor(what: string) {
    this.#what = what;
  }

  /**
   * Warns where the labels are not known.
   *
   * @param actual as in `DataStream.axisLabels`; undefined or null where they are not known
   * @throws AxisLabelsMismatchError for other labels, naming both
   */
  verifyAxisLabels(expected: readonly string[], actual: readonly string[] | null | undefined, source: string): void {
    if (this.#checked.has(source)) return;
    const wanted = expected.join(', ');
    if (actual === null || actual === undefined) {
      process.emitWarning(
        `${this.#what}: the axes of ${source} should be (${wanted}), but nothing says what they are; give the dataset axisLabels`,
        'AxisLabelsWarning',
      );
    } else if (actual.length !== expected.length || actual.some((label, axis) => label !== expected[axis])) {
      throw new AxisLabelsMismatchError(
        `${this.#what}: the axes of ${source} are (${actual.join(', ')}), but should be (${wanted}); transpose it first (Mapping)`,
      );
    }
    this.#checked.add(source);
  }
}
