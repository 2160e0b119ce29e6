import { z } from 'zod';
import { uint8PixelsToFloat } from '../transformers/defaults.js';
import { fuelMadeDataset } from './fuel-made-dataset.js';

/**
 * Street View House Numbers (Netzer et al., 2011), with the splits `train`, `test` and `extra` (Fuel: `svhn`). By `format`: 1, whole numbers:
 * `features` of images (3, height, width) uint8, and of the box of each digit `bbox_labels` uint8, `bbox_heights`, `bbox_widths`, `bbox_lefts` and
 * `bbox_tops` uint16, (boxes, 1) each; 2, digits: `features` (examples, 3, 32, 32) and `targets` (examples, 1), both uint8, in ten classes.
 */
export const svhn = fuelMadeDataset(
  {
    name: 'svhn',
    params: z.strictObject({
      format: z.literal([1, 2]).default(2).meta({ description: 'Whole numbers (1), or digits of 32 x 32 (2).' }),
    }),
    outputName: ({ format }) => `svhn_format_${format}.hdf5`,
    defaultTransformers: uint8PixelsToFloat(['features']),
    loadInMemory: false,
  },
  ({ format }) => `svhn ${format}`,
);
