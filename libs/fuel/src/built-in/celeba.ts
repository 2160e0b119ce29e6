import { z } from 'zod';
import { uint8PixelsToFloat } from '../transformers/defaults.js';
import { fuelMadeDataset } from './fuel-made-dataset.js';

/**
 * CelebA (Liu, Luo, Wang, Tang, 2015), faces of celebrities: `features` (202599, 3, 218, 178), or (202599, 3, 64, 64) by `format`, and
 * `targets` (202599, 40), an attribute each, both uint8, with the splits `train` 162770, `valid` 19867 and `test` 19962 (Fuel: `celeba`).
 */
export const celebA = fuelMadeDataset(
  {
    name: 'celeba',
    params: z.strictObject({
      format: z
        .enum(['aligned_cropped', '64'])
        .default('aligned_cropped')
        .meta({ description: 'Images of 218 x 178, or those made smaller and cut to 64 x 64.' }),
    }),
    outputName: ({ format }) => `celeba_${format}.hdf5`,
    defaultTransformers: uint8PixelsToFloat(['features']),
    loadInMemory: false,
  },
  ({ format }) => `celeba ${format}`,
);
