import { CorruptInput } from '../errors.js';
import { ChunkCache } from './chunk-cache.js';
import { describeSource } from './describe-source.js';
import { isAttachedScale } from './dimension-scales.js';
import { readable, type H5Source, type ReadableSource } from './h5-source.js';
import { hdf5Handle, OpenHdf5 } from './open-hdf5.js';
import { splitRowsOf, textAttributesOf } from './root-attributes.js';
import { SourceReader } from './source-reader.js';
import type { SplitRow } from './split-rows.js';

/** An HDF5 file of Fuel's layout, open for reading: its sources, its splits and its version attributes. */
export class H5File extends OpenHdf5 {
  /**
   * @throws MissingInput when there is no such file
   * @throws CorruptInput when it is not an HDF5 file, or a damaged one
   * @throws UnsuitableDataset when it is one of several files that are one together
   */
  static async open(path: string): Promise<H5File> {
    return new H5File(path, await hdf5Handle(path));
  }

  /**
   * What is known about a dataset of the root group without reading its data.
   *
   * @throws CorruptInput when there is none of this name
   */
  source(name: string): H5Source {
    return this.guarded(() => describeSource(this, name));
  }

  /**
   * The same of a source that is to be read.
   *
   * @throws UnsuitableDataset when it cannot be, saying why and what to do
   */
  readableSource(name: string): ReadableSource {
    return readable(this.path, this.source(name));
  }

  /** Whether a dataset is a dimension scale that is attached to another one. */
  isAttachedScale(name: string): boolean {
    return this.guarded(() => isAttachedScale(this.messages(`/${name}`)));
  }

  /**
   * The rows of the `split` attribute.
   *
   * @throws CorruptInput when there is none, or one that is not Fuel's
   */
  splitRows(): SplitRow[] {
    return this.guarded(() => splitRowsOf(this));
  }

  /** Text attributes of the root group: the version attributes of Fuel, and whatever else was noted. */
  textAttributes(): Record<string, string> {
    return this.guarded(() => textAttributesOf(this));
  }

  /**
   * The list of rows that an object reference of the `split` attribute points to.
   *
   * @throws CorruptInput when it points to anything but a list of whole numbers
   */
  indices(reference: Uint8Array): number[] {
    return this.guarded(() => {
      const name = this.module.get_referenced_name(this.id, reference, true);
      const list = this.readableSource(name.replace(/^\//, ''));
      if (list.ragged || list.dtype.startsWith('float') || list.shape.length !== 1) {
        const what = `${list.dtype} (${list.shape.join(', ')})`;
        throw new CorruptInput(this.path, `has a split whose indices ${name} are ${what}, not a list; convert it anew`);
      }
      const reader = new SourceReader(this, list, new ChunkCache(0));
      return Array.from(reader.read({ start: 0, stop: list.shape[0] ?? 0 }).data, Number);
    });
  }
}
