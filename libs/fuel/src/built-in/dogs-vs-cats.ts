import { z } from 'zod';
import { ScaleAndShift } from '../transformers/scale-and-shift.js';
import { fuelMadeDataset } from './fuel-made-dataset.js';

/**
 * Dogs vs. Cats (Kaggle, 2013): `image_features` (37500) of images (3, height, width) uint8, and `targets` (25000, 1) uint8: cat 0, dog 1.
 * The splits are `train` 25000, in an order that was shuffled, and `test` 12500, which has no targets (Fuel: `dogs_vs_cats`).
 */
export const dogsVsCats = fuelMadeDataset(
  {
    name: 'dogs_vs_cats',
    params: z.strictObject({}),
    outputName: () => 'dogs_vs_cats.hdf5',
    defaultTransformers: [
      (stream) => new ScaleAndShift(stream, { scale: 1 / 255, shift: 0, whichSources: ['image_features'] }),
    ],
    loadInMemory: false,
  },
  () => 'dogs_vs_cats',
);
