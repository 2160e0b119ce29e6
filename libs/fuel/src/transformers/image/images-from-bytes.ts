import { ndarray, StateKind, type NdArray } from '@longrun/serialization';
import { isRagged, type Column, type Columns } from '../../arrays/column.js';
import { bytesOf, rowsOf, stackRows, takeRow } from '../../arrays/rows.js';
import type { DataStream } from '../../streams/data-stream.js';
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

  protected override async transform(columns: Columns): Promise<Columns> {
    const images = new Map<string, Column>();
    for (const [source, column] of columns)
      images.set(source, this.whichSources.has(source) ? await this.#decoded(column, source) : column);
    return images;
  }

  async #decoded(column: Column, source: string): Promise<Column> {
    if (this.producesExamples && !isRagged(column)) return await this.#image(column, source);
    const rows = rowsOf(column, source);
    if (rows === 0) return column;
    const images = Array.from({ length: rows }, (_, row) =>
      this.#image(takeRow(column, row), `${source}, row ${row} of the batch`),
    );
    return stackRows(await Promise.all(images), source);
  }

  async #image(bytes: NdArray, what: string): Promise<NdArray> {
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
      return this.colorMode === 'L' ? lumaOf(data, info) : channelsFirst(data, info);
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

function channelsFirst(pixels: Uint8Array, { height, width, channels }: Pixels): NdArray {
  const size = height * width;
  const data = new Uint8Array(channels * size);
  const planes = Array.from({ length: channels }, (_, channel) => data.subarray(channel * size, (channel + 1) * size));
  const [red, green, blue] = planes;
  if (channels === 3 && red !== undefined && green !== undefined && blue !== undefined) {
    // All that is read is read once: the usual case takes half as long.
    for (let pixel = 0, from = 0; pixel < size; pixel += 1, from += 3) {
      red[pixel] = pixels[from] ?? 0;
      green[pixel] = pixels[from + 1] ?? 0;
      blue[pixel] = pixels[from + 2] ?? 0;
    }
  } else {
    for (const [channel, plane] of planes.entries())
      for (let pixel = 0, from = channel; pixel < size; pixel += 1, from += channels) plane[pixel] = pixels[from] ?? 0;
  }
  return ndarray('uint8', [channels, height, width], data);
}

/** Of red, green and blue, as ITU-R 601-2 weighs them and Pillow rounds. */
function lumaOf(pixels: Uint8Array, { height, width, channels }: Pixels): NdArray {
  const data = new Uint8Array(height * width);
  for (let pixel = 0, from = 0; pixel < data.length; pixel += 1, from += channels) {
    const [red = 0, green = 0, blue = 0] = [pixels[from], pixels[from + 1], pixels[from + 2]];
    data[pixel] = (red * 19_595 + green * 38_470 + blue * 7_471 + 0x80_00) >> 16;
  }
  return ndarray('uint8', [1, height, width], data);
}
