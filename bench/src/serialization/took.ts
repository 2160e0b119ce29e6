import { cpus } from 'node:os';

/** What something took: how long, and how much of the machine's processors, everything that ran on them together, kernel included; ms. */
export interface Took {
  readonly elapsed: number;
  readonly processors: number;
}

export async function took(work: () => Promise<void>): Promise<Took> {
  const [startedAt, busyAt] = [performance.now(), busyMs()];
  await work();
  return { elapsed: performance.now() - startedAt, processors: busyMs() - busyAt };
}

/** Counted in ticks of the kernel, 10 ms as a rule. */
function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
