import { cifarLike } from './cifar-like.js';

const FOLDER = 'cifar-100-binary';

/**
 * CIFAR-100 (Krizhevsky, 2009): `features` (60000, 3, 32, 32), `coarse_labels` and `fine_labels` (60000, 1), all uint8, in 20 groups of
 * five classes each, with the splits `train` 50000 and `test` 10000 (Fuel: `cifar100`). It is read from the binary version, as CIFAR-10 is.
 */
export const cifar100 = cifarLike({
  name: 'cifar100',
  archive: 'cifar-100-binary.tar.gz',
  sha256: '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
  files: { train: [`${FOLDER}/train.bin`], test: [`${FOLDER}/test.bin`] },
  labels: [
    { source: 'coarse_labels', classes: 20 },
    { source: 'fine_labels', classes: 100 },
  ],
});
