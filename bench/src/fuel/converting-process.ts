import { createInterface } from 'node:readline';
import { rm } from 'node:fs/promises';
import { fashionMnist } from '@longrun/fuel';
import { elapsedMs } from '../elapsed.js';

/** A process that converts, as a preprocessing worker is: for each line {"from", "to"}, of a folder and a file, it answers {"seconds", "batches"}, of which there is one. */
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its parent is this benchmark
  const { from, to } = JSON.parse(line) as { readonly from: string; readonly to: string };
  const ms = await elapsedMs(() => fashionMnist.convert(from, to, {}));
  await rm(to);
  console.log(JSON.stringify({ seconds: ms / 1_000, batches: 1 }));
}
