import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { ndarray, readSafetensors } from '@longrun/serialization';
import { add, at, compile, type CompiledFunction, tensor } from '@longrun/tensor';
import { elapsedMs } from '../elapsed.js';
import { median, versionOf } from '../report.js';
import { kernelsOf } from './kernels.js';
import { batches, trainingStep } from './network.js';

/**
 * Longrun's side of `tensor`. Compiles the training step, says that it is ready, and what that took; then reads requests from stdin, a
 * JSON line each, and answers with one: {"do": "train", "steps"} with {"seconds", "cost"}, {"do": "compile"} with {"ms"} of one more,
 * {"do": "call", "calls"} with {"us"}, the median of an empty call, {"do": "profile", "runs"} with {"products", "all"}, the ms of a step's kernels.
 */
const { values } = parseArgs({
  options: { start: { type: 'string', default: '' }, threads: { type: 'string', default: '2' } },
});

type Request =
  | { readonly do: 'train'; readonly steps: number }
  | { readonly do: 'compile' }
  | { readonly do: 'call'; readonly calls: number }
  | { readonly do: 'profile'; readonly runs: number };

const target = { engine: 'onnxruntime', threads: Number(values.threads) };
const { tensors } = await readSafetensors(values.start);
const examples = batches(tensors);
const { compiled: step, ms: compileMs } = await compiledStep();
say({ ready: true, onnxruntime: versionOf('onnxruntime-node'), compileMs });
let steps = 0;
for await (const line of createInterface({ input: process.stdin })) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its parent is this benchmark
  say(await answer(JSON.parse(line) as Request));
}

async function answer(request: Request): Promise<Readonly<Record<string, number>>> {
  switch (request.do) {
    case 'train':
      return await train(request.steps);
    case 'compile':
      return { ms: await compileOnceMore() };
    case 'call':
      return { us: await emptyCall(request.calls) };
    default:
      return await kernelsOf(step, at(examples, 0), request.runs);
  }
}

/** So many steps, each of which hands over its cost. */
async function train(count: number): Promise<{ seconds: number; cost: number }> {
  let cost = Number.NaN;
  const ms = await elapsedMs(async () => {
    for (let done = 0; done < count; done += 1) {
      const [output] = await step.run(at(examples, steps % examples.length));
      cost = Number(output?.data[0]);
      steps += 1;
    }
  });
  return { seconds: ms / 1000, cost };
}

/** The training step, of a graph of its own, and how long compiling took. */
async function compiledStep(): Promise<{ compiled: CompiledFunction; ms: number }> {
  const graph = trainingStep(tensors);
  const begunAt = performance.now();
  const compiled = await compile({ ...graph, ...target });
  return { compiled, ms: performance.now() - begunAt };
}

async function compileOnceMore(): Promise<number> {
  const { compiled, ms } = await compiledStep();
  await compiled.dispose();
  return ms;
}

/** The median of calls of a function from a scalar to a scalar; a tenth as many before them do not count. */
async function emptyCall(calls: number): Promise<number> {
  const x = tensor('x', 'float32', []);
  const plusOne = await compile({ inputs: [x], outputs: [add(x, 1)], ...target });
  const input = [ndarray('float32', [], Float32Array.of(1))];
  const took: number[] = [];
  for (let call = -calls / 10; call < calls; call += 1) {
    const ms = await elapsedMs(() => plusOne.run(input));
    if (call >= 0) took.push(ms * 1000);
  }
  await plusOne.dispose();
  return median(took);
}

function say(message: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(message));
}
