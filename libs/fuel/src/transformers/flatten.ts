import { sizeOf, type NdArray } from '@longrun/serialization';
import { SourcewiseTransformer } from './transformer.js';

/**
 * Makes a vector of each example: `(batch, ...)` becomes `(batch, feature)`, an example `(...)` becomes `(feature)`
 * (Fuel: `Flatten`). The elements are shared, not copied.
 */
export class Flatten extends SourcewiseTransformer {
  override get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    const below = this.stream.axisLabels;
    if (below === null) return null;
    const flat = this.producesExamples ? ['feature'] : ['batch', 'feature'];
    return new Map([...below].map(([source, labels]) => [source, this.whichSources.has(source) ? flat : labels]));
  }

  protected transformSource(array: NdArray, source: string): NdArray {
    if (this.producesExamples) return { ...array, shape: [sizeOf(array.shape)] };
    const [batch] = array.shape;
    if (batch === undefined) throw new RangeError(`Flatten: ${source} is a scalar; a batch has at least one axis`);
    return { ...array, shape: [batch, sizeOf(array.shape.slice(1))] };
  }
}
