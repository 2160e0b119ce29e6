import { z } from 'zod';
import { rgbImagesFromEncodedBytes } from '../transformers/defaults.js';
import { fuelMadeDataset, type FuelMadeDataset } from './fuel-made-dataset.js';

/**
 * A year of the ImageNet Large Scale Visual Recognition Challenge (Russakovsky et al., 2015): `encoded_images`, the bytes of JPEG files, which
 * streams decode by default, `targets` (examples, 1) int16, from 0 to 999, and `filenames` (examples, 1) of 32 bytes of text. Its files are
 * larger than memory.
 */
export function ilsvrcLike(name: string): FuelMadeDataset<Record<string, never>> {
  return fuelMadeDataset(
    {
      name,
      params: z.strictObject({}),
      outputName: () => `${name}.hdf5`,
      defaultTransformers: rgbImagesFromEncodedBytes(['encoded_images']),
      loadInMemory: false,
    },
    () => name,
  );
}
