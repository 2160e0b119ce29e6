import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readSafetensors } from '@longrun/serialization';
import { at, compile } from '@longrun/tensor';
import { elapsedMs } from '../elapsed.js';
import { versionOf } from '../report.js';
import { kernelsOf } from '../tensor/kernels.js';
import { batches, trainingStep } from './network.js';
import { networkNamed } from './networks.js';

/**
 * Longrun's side of `networks`: trains the one named for so many steps for each line {"do": "train", "steps"}, and answers with {"seconds", "cost"}; answers
 * {"do": "profile", "runs"} with {"products", "all"}, the ms of a step's kernels. Says first what compiling took, in ms, and whether it was from the cache.
 */
const { values } = parseArgs({
  options: {
    network: { type: 'string', default: '' },
    start: { type: 'string', default: '' },
    threads: { type: 'string', default: '2' },
  },
});

type Request = { readonly do: 'train'; readonly steps: number } | { readonly do: 'profile'; readonly runs: number };

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
  const request = JSON.parse(line) as Request;
  const answer =
    request.do === 'train' ? await train(request.steps) : await kernelsOf(step, at(examples, 0), request.runs);
  console.log(JSON.stringify(answer));
}

/** So many steps, each of which hands over its cost. */
async function train(steps: number): Promise<{ seconds: number; cost: number }> {
  let cost = Number.NaN;
  const ms = await elapsedMs(async () => {
    for (const end = done + steps; done < end; done += 1) {
      const [output] = await step.run(at(examples, done % examples.length));
      cost = Number(output?.data[0]);
    }
  });
  return { seconds: ms / 1000, cost };
}
