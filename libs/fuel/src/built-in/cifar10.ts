import { cifarLike } from './cifar-like.js';

const FOLDER = 'cifar-10-batches-bin';

/**
 * CIFAR-10 (Krizhevsky, 2009): `features` (60000, 3, 32, 32) and `targets` (60000, 1), both uint8, in ten classes, with the splits `train`
 * 50000 and `test` 10000 (Fuel: `cifar10`). It is read from the binary version, which has the same images in the same order as the one
 * for Python, and is data alone.
 */
export const cifar10 = cifarLike({
  name: 'cifar10',
  archive: 'cifar-10-binary.tar.gz',
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
  files: {
    train: [1, 2, 3, 4, 5].map((batch) => `${FOLDER}/data_batch_${batch}.bin`),
    test: [`${FOLDER}/test_batch.bin`],
  },
  labels: [{ source: 'targets', classes: 10 }],
});
