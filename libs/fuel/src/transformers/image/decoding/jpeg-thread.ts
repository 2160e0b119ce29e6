import { parentPort } from 'node:worker_threads';

import { JpegDecoder } from './jpeg-decoder.js';
import type { JpegHeader } from './jpeg-header.js';
import { type ColorMode, writePlanes } from './planes.js';

/** JPEGs that are to be decoded. */
export interface ToDecode {
  /** The files, and memory for the images. Both come back. */
  readonly files: ArrayBuffer;
  readonly planes: ArrayBuffer;
  readonly images: readonly ImageToDecode[];
}

/** One of them. */
export interface ImageToDecode {
  readonly header: JpegHeader;
  readonly colorMode: ColorMode;
  /** Where the file is in `files`. */
  readonly file: ByteRange;
  /** Where the image `(channel, height, width)` goes in `planes`. */
  readonly image: ByteRange;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What came of them. */
export interface Decoded {
  readonly files: ArrayBuffer;
  readonly planes: ArrayBuffer;
  /** Of each, whether it is decoded; what is not may be damaged. */
  readonly areDecoded: readonly boolean[];
}

/** The work of a thread that decodes JPEGs for another one, see `JpegThreads`. @internal */
export function serveJpegs(): void {
  const port = parentPort;
  if (port === null) throw new Error('serveJpegs: this is no thread');
  const decoder = new JpegDecoder();
  const decode = async ({ files, planes, images }: ToDecode): Promise<void> => {
    const areDecoded: boolean[] = [];
    for (const { header, colorMode, file, image } of images) {
      const pixels = await decoder.pixels(new Uint8Array(files, file.offset, file.length), header);
      areDecoded.push(pixels !== undefined);
      if (pixels !== undefined)
        writePlanes(pixels, header, colorMode, new Uint8Array(planes, image.offset, image.length));
    }
    const message: Decoded = { files, planes, areDecoded };
    port.postMessage(message, [files, planes]);
  };
  let last = Promise.resolve();
  port.on('message', (message: ToDecode) => {
    const before = last;
    last = before.then(() => decode(message));
  });
}
