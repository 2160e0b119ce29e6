import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readSafetensors } from '@longrun/serialization';
import { at, compile } from '@longrun/tensor';
import { elapsedMs } from '../elapsed.js';
import { versionOf } from '../report.js';
import { batches, trainingStep } from './network.js';
import { networkNamed } from './networks.js';

/**
 * Longrun's side of `networks`: trains the one named for so many steps for each line {"do": "train", "steps"}, and answers with {"seconds", "cost"}. Says first
 * what compiling took, in ms, and whether it was from the cache.
 */
const { values } = parseArgs({
  options: {
    network: { type: 'string', default: '' },
    start: { type: 'string', default: '' },
    threads: { type: 'string', default: '2' },
  },
});

const network = networkNamed(values.network);
const { tensors } = await readSafetensors(values.start);
const examples = batches(network, tensors);
const graph = trainingStep(network, tensors);
const begunAt = performance.now();
const step = await compile({ ...graph, engine: 'onnxruntime', threads: Number(values.threads) });
const compileMs = performance.now() - begunAt;
const { plan, sources } = step.explain();
const isFromCache = [plan, ...sources].every(({ from }) => from === 'cache');
console.log(JSON.stringify({ ready: true, onnxruntime: versionOf('onnxruntime-node'), compileMs, isFromCache }));
let done = 0;
for await (const line of createInterface({ input: process.stdin })) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its parent is this benchmark
  const { steps } = JSON.parse(line) as { readonly steps: number };
  let cost = Number.NaN;
  const ms = await elapsedMs(async () => {
    for (const end = done + steps; done < end; done += 1) {
      const [output] = await step.run(at(examples, done % examples.length));
      cost = Number(output?.data[0]);
    }
  });
  console.log(JSON.stringify({ seconds: ms / 1000, cost }));
}
