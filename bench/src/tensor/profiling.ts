import { beginOurs } from './training.js';

const PROCESSES = 5;
const WARM_UP_STEPS = 50;
const RUNS = 50;

/** What the kernels of one step take, as the engine times them, in each of some processes; ms. */
export interface KernelTimes {
  /** Of the products of matrices, forward and back. */
  readonly products: number[];
  /** Of all. */
  readonly all: number[];
}

/** On so many threads, with memory as for trainers. */
export async function kernelTimes(start: string, threads: number): Promise<KernelTimes> {
  const times: KernelTimes = { products: [], all: [] };
  for (let count = 0; count < PROCESSES; count += 1) {
    const { contestant } = await beginOurs(start, { threads, isTuned: true });
    try {
      await contestant.ask({ do: 'train', steps: WARM_UP_STEPS });
      const { products = Number.NaN, all = Number.NaN } = await contestant.ask({ do: 'profile', runs: RUNS });
      times.products.push(products);
      times.all.push(all);
    } finally {
      contestant.stop();
    }
  }
  return times;
}
