import { StateKind, type NdArray } from '@longrun/serialization';
import { isRagged, type Column, type Columns } from '../../arrays/column.js';
import type { Memory } from '../../arrays/memory.js';
import { bytesOf, rowsOf, viewOfRow } from '../../arrays/rows.js';
import { RowsInPlace } from '../../arrays/rows-in-place.js';
import type { DataStream } from '../../streams/data-stream.js';
import type { Place } from '../../streams/delivery.js';
import { plainJpegHeader } from './decoding/jpeg-header.js';
import { JpegThreads } from './decoding/jpeg-threads.js';
import { type ColorMode, writePlanes } from './decoding/planes.js';
import { checkSources, Transformer, type TransformerOptions } from '../transformer.js';

/** What channels images have. */
export interface ImagesFromBytesOptions {
  /** `RGB`: three; `L`: one, their luma; null: as many as the file has. Default `RGB`. */
  readonly colorMode?: ColorMode;
  /** Sources with the bytes of files: JPEG, PNG, WebP, GIF, TIFF. Default all. */
  readonly whichSources?: readonly string[];
}

/**
 * Decodes images: of uint8 `(bytes)` uint8 `(channel, height, width)` (Fuel: `ImagesFromBytes`). Images of several shapes are a ragged column. Transparency is dropped, as are colour profiles and what
 * a camera says of its orientation.
 *
 * @throws RangeError for bytes that are no whole image, naming source and row
 */
export class ImagesFromBytes extends Transformer {
  readonly colorMode: ColorMode;
  readonly whichSources: ReadonlySet<string>;

  constructor(stream: DataStream, { colorMode = 'RGB', whichSources = stream.sources }: ImagesFromBytesOptions = {}) {
    super(stream, IMAGES_FROM_BYTES);
    checkSources('ImagesFromBytes', whichSources, stream.sources);
    if (colorMode !== null && colorMode !== 'RGB' && colorMode !== 'L')
      throw new RangeError(`ImagesFromBytes: colorMode is ${JSON.stringify(colorMode)}; give RGB, L or null`);
    this.colorMode = colorMode;
    this.whichSources = new Set(whichSources);
  }

  /** Those below, and of images channel, height and width. */
  override get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    const below = this.stream.axisLabels;
    const batch = this.producesExamples ? [] : ['batch'];
    const ofImages = [...this.whichSources].map((source): [string, readonly string[]] => [
      source,
      [...batch, 'channel', 'height', 'width'],
    ]);
    return new Map([...(below ?? []), ...ofImages]);
  }

  protected override options(): TransformerOptions {
    return {
      colorMode: this.colorMode,
      whichSources: this.stream.sources.filter((source) => this.whichSources.has(source)),
    };
  }

  protected override async transform(columns: Columns, _place: Place, into: Memory): Promise<Columns> {
    const images = new Map<string, Column>();
    for (const [source, column] of columns)
      images.set(source, this.whichSources.has(source) ? await this.#decoded(column, source, into) : column);
    return images;
  }

  async #decoded(column: Column, source: string, into: Memory): Promise<Column> {
    if (this.producesExamples && !isRagged(column)) return await this.#image(column, source, into);
    const rows = rowsOf(column, source);
    if (rows === 0) return column;
    const inPlace = new RowsInPlace(rows, into);
    const images = Array.from({ length: rows }, (_, row) =>
      this.#image(viewOfRow(column, row), `${source}, row ${row} of the batch`, inPlace.memoryOf(row)),
    );
    return inPlace.column(await Promise.all(images), source);
  }

  async #image(bytes: NdArray, what: string, into: Memory): Promise<NdArray> {
    if (bytes.dtype !== 'uint8' || bytes.shape.length !== 1) {
      throw new TypeError(
        `ImagesFromBytes: ${what} is ${bytes.dtype} (${bytes.shape.join(', ')}); the bytes of a file are uint8 (bytes)`,
      );
    }
    const file = bytesOf(bytes);
    return (await this.#plainJpeg(file, into)) ?? (await this.#other(file, what, into));
  }

  /** Undefined for what is none, or may be damaged. */
  async #plainJpeg(file: Uint8Array, into: Memory): Promise<NdArray | undefined> {
    const header = plainJpegHeader(file);
    if (header === undefined) return undefined;
    const { colorMode } = this;
    const image = into('uint8', [channelsOf(colorMode, header.channels), header.height, header.width]);
    return (await JPEG_THREADS.decode({ file, header, colorMode, image: image.data })) ? image : undefined;
  }

  async #other(file: Uint8Array, what: string, into: Memory): Promise<NdArray> {
    const { default: sharp } = await import('sharp');
    try {
      const read = sharp(file, { ignoreIcc: true });
      const isGrey = this.colorMode === null && (await read.metadata()).space === 'b-w';
      const pixels = read.toColourspace(isGrey ? 'b-w' : 'srgb');
      const channels = this.colorMode === null ? pixels : pixels.removeAlpha();
      const { data, info } = await channels.raw().toBuffer({ resolveWithObject: true });
      const image = into('uint8', [this.colorMode === 'L' ? 1 : info.channels, info.height, info.width]);
      writePlanes(data, info, this.colorMode, image.data);
      return image;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RangeError(
        `ImagesFromBytes: ${what} is no image that can be read (${reason}); leave it out with a Filter before, or convert the dataset anew`,
        { cause },
      );
    }
  }
}

const IMAGES_FROM_BYTES = new StateKind('ImagesFromBytes');
/** Of all streams of this thread. */
const JPEG_THREADS = new JpegThreads();

function channelsOf(colorMode: ColorMode, channels: number): number {
  if (colorMode === null) return channels;
  return colorMode === 'L' ? 1 : 3;
}
