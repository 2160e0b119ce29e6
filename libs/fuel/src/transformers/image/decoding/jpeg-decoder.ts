import type { JPEGDecoder } from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs';
import type { JpegHeader } from './jpeg-header.js';

/** Decodes plain JPEGs in this thread: `plainJpegHeader` says which these are. */
export class JpegDecoder {
  #decoder: JPEGDecoder | undefined;
  #refused = 0;

  /** Its pixels `(height, width, channel)`, until the next one is decoded; undefined for a file that is damaged, or has more than its header says. Not to be called before the call before has ended. */
  async pixels(file: Uint8Array, { height, width, channels }: JpegHeader): Promise<Uint8Array | undefined> {
    const decoder = (this.#decoder ??= await newDecoder());
    try {
      decoder.getEncodedBuffer(file.length).set(file);
      decoder.decode();
    } catch (error) {
      this.#refused += 1;
      // Each file that is refused leaves 4 KB behind, and what is no refusal an instance in any state.
      if (typeof error !== 'number' || this.#refused % MOST_REFUSED === 0) this.#decoder = undefined;
      return undefined;
    }
    const frame = decoder.getFrameInfo();
    const isAsSaid = frame.height === height && frame.width === width && frame.componentCount === channels;
    return isAsSaid ? decoder.getDecodedBuffer() : undefined;
  }
}

/** So many files are refused by one instance. */
const MOST_REFUSED = 1_000;

async function newDecoder(): Promise<JPEGDecoder> {
  const { default: load } = await import('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs');
  const { JPEGDecoder: Decoder } = await load({ print: silent, printErr: silent });
  return new Decoder();
}

function silent(): void {
  // What it would print, who asks for pixels finds out.
}
