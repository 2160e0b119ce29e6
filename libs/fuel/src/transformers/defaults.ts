import type { StreamTransformation } from '../streams/data-stream.js';
import { ImagesFromBytes } from './image/images-from-bytes.js';
import { ScaleAndShift } from './scale-and-shift.js';

/**
 * Default transformers for images of bytes: each pixel, 0 to 255, as float32 from 0 to 1 (Fuel: `uint8_pixels_to_floatX`).
 * Shapes stay as they are.
 *
 * @param whichSources the sources that hold pixels, as `features`
 */
export function uint8PixelsToFloat(whichSources: readonly string[]): readonly StreamTransformation[] {
  return [(stream) => new ScaleAndShift(stream, { scale: 1 / 255, shift: 0, whichSources, dtype: 'float32' })];
}

/**
 * Default transformers for images that lie in a dataset as the bytes of their files: uint8 `(3, height, width)` each (Fuel: `rgb_images_from_encoded_bytes`).
 *
 * @param whichSources the sources that hold files, as `encoded_images`
 */
export function rgbImagesFromEncodedBytes(whichSources: readonly string[]): readonly StreamTransformation[] {
  return [(stream) => new ImagesFromBytes(stream, { colorMode: 'RGB', whichSources })];
}
