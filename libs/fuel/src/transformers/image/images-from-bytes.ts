import { StateKind, type NdArray } from '@longrun/serialization';
import { isRagged, type Column, type Columns } from '../../arrays/column.js';
import type { Memory } from '../../arrays/memory.js';
import { bytesOf, rowsOf, viewOfRow } from '../../arrays/rows.js';
import { RowsInPlace } from '../../arrays/rows-in-place.js';
import type { DataStream } from '../../streams/data-stream.js';
import type { Place } from '../../streams/delivery.js';
import { checkSources, Transformer, type TransformerOptions } from '../transformer.js';

/** What channels images have. */
export interface ImagesFromBytesOptions {
  /** `RGB`: three; `L`: one, their luma; null: as many as the file has. Default `RGB`. */
  readonly colorMode?: 'RGB' | 'L' | null;
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
  readonly colorMode: 'RGB' | 'L' | null;
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
    const { default: sharp } = await import('sharp');
    try {
      const read = sharp(bytesOf(bytes), { ignoreIcc: true });
      const isGrey = this.colorMode === null && (await read.metadata()).space === 'b-w';
      const pixels = read.toColourspace(isGrey ? 'b-w' : 'srgb');
      const channels = this.colorMode === null ? pixels : pixels.removeAlpha();
      const { data, info } = await channels.raw().toBuffer({ resolveWithObject: true });
      return this.colorMode === 'L' ? lumaOf(data, info, into) : channelsFirst(data, info, into);
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

/** Pixels `(height, width, channel)`, one after the other. */
interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

function channelsFirst(pixels: Uint8Array, { height, width, channels }: Pixels, into: Memory): NdArray {
  const size = height * width;
  const image = into('uint8', [channels, height, width]);
  const { data } = image;
  if (channels === 3 && [size, pixels.byteOffset, data.byteOffset].every((bytes) => bytes % 4 === 0)) {
    splitFourByFour(
      new Uint32Array(pixels.buffer, pixels.byteOffset, (size / 4) * 3),
      new Uint32Array(data.buffer, data.byteOffset, (size / 4) * 3),
    );
    return image;
  }
  for (let channel = 0, to = 0; channel < channels; channel += 1)
    for (let from = channel; from < size * channels; from += channels, to += 1) data[to] = pixels[from] ?? 0;
  return image;
}

/** The usual case, in a third of the time: red, green and blue of four pixels at once, as the four bytes of three words, of which each plane takes one. */
function splitFourByFour(words: Uint32Array, planes: Uint32Array): void {
  const length = planes.length / 3;
  for (let at = 0, from = 0; at < length; at += 1, from += 3) {
    const first = words[from] ?? 0;
    const second = words[from + 1] ?? 0;
    const third = words[from + 2] ?? 0;
    planes[at] = (first & 0xff) | ((first >>> 16) & 0xff_00) | (second & 0xff_00_00) | ((third & 0xff_00) << 16);
    planes[at + length] =
      ((first >>> 8) & 0xff) | ((second & 0xff) << 8) | ((second >>> 8) & 0xff_00_00) | ((third & 0xff_00_00) << 8);
    planes[at + 2 * length] =
      ((first >>> 16) & 0xff) | (second & 0xff_00) | ((third & 0xff) << 16) | (third & 0xff_00_00_00);
  }
}

/** Of red, green and blue, as ITU-R 601-2 weighs them and Pillow rounds. */
function lumaOf(pixels: Uint8Array, { height, width, channels }: Pixels, into: Memory): NdArray {
  const image = into('uint8', [1, height, width]);
  const { data } = image;
  for (let pixel = 0, from = 0; pixel < data.length; pixel += 1, from += channels) {
    const [red = 0, green = 0, blue = 0] = [pixels[from], pixels[from + 1], pixels[from + 2]];
    data[pixel] = (red * 19_595 + green * 38_470 + blue * 7_471 + 0x80_00) >> 16;
  }
  return image;
}
