import type { Contestant } from '../contestant.js';
import { plainRow, type Row } from '../report.js';

const PROCESSES = 5;

/** What the kernels of one step take, as the engine times them, in each of some processes; ms. */
export interface KernelTimes {
  /** Of the products of matrices and the convolutions, forward and back, with what lays out what they take. */
  readonly products: number[];
  /** Of all. */
  readonly all: number[];
}

/**
 * Of our side, which `begin` starts.
 *
 * @param steps so many first, which warm it up, and then so many that are profiled
 */
export async function kernelTimes(
  begin: () => ReturnType<typeof Contestant.start>,
  steps: number,
): Promise<KernelTimes> {
  const times: KernelTimes = { products: [], all: [] };
  for (let count = 0; count < PROCESSES; count += 1) {
    const { contestant } = await begin();
    try {
      await contestant.ask({ do: 'train', steps });
      const { products = Number.NaN, all = Number.NaN } = await contestant.ask({ do: 'profile', runs: steps });
      times.products.push(products);
      times.all.push(all);
    } finally {
      contestant.stop();
    }
  }
  return times;
}

/** Where the time of a step of ours goes, beside the whole step of a peer. */
export function kernelRows(
  { step, setting, products }: { readonly step: string; readonly setting: string; readonly products: string },
  times: KernelTimes,
  peer: { readonly name: string; readonly ms: readonly number[] },
): Row[] {
  const row = (what: string, ms: readonly number[]): Row =>
    plainRow(`${step}, ${what} (${setting}); peer: the whole step of ${peer.name}`, 'ms', ms, peer.ms);
  return [row('all its kernels', times.all), row(`${products} alone`, times.products)];
}
