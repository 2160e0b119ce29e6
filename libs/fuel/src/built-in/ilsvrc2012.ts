import { ilsvrcLike } from './ilsvrc-like.js';

/** ImageNet's challenge of 2012: the splits `train` 1281167, `valid` 50000 and `test` 100000, which has no targets (Fuel: `ilsvrc2012`). */
export const ilsvrc2012 = ilsvrcLike('ilsvrc2012');
