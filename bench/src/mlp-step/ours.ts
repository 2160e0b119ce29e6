import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadProgram, Outputs, Reporting, TrainingExtension } from '@longrun/blocks';
import { RandomStreams } from '@longrun/serialization';
import { computeTarget } from '@longrun/tensor';
import { checkout, versionOf } from '../report.js';

/**
 * Longrun's side of `mlp-step`: the program `mlp` of examples/ with the reporting that a worker's trainer adds. Reads
 * the number of steps to run from stdin, line by line, and answers with {"seconds", "cost"}.
 */
const { values } = parseArgs({
  options: {
    dataset: { type: 'string', default: '' },
    threads: { type: 'string', default: '2' },
    'batch-size': { type: 'string', default: '128' },
    'learning-rate': { type: 'string', default: '0.002' },
  },
});

/** Lets as many batches pass as the next line of stdin asks for, and says how long they took. */
class Gate extends TrainingExtension {
  readonly #lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  #left = 0;
  #begin = 0;

  override async beforeTraining(): Promise<void> {
    await this.#next();
  }

  override async afterBatch(): Promise<void> {
    this.#left -= 1;
    if (this.#left > 0) return;
    const seconds = (performance.now() - this.#begin) / 1000;
    say({ seconds, cost: this.mainLoop.log.currentRow['batch_cost'] });
    await this.#next();
  }

  async #next(): Promise<void> {
    const line = await this.#lines.next();
    if (line.done === true) process.exit(0);
    this.#left = Number(line.value);
    this.#begin = performance.now();
  }
}

const SEED = 1;
const program = await loadProgram(join(checkout, 'examples/dist/programs/mlp.js'));
const rows: string[] = [];
const mainLoop = await program.build({
  params: {
    epochs: 1_000_000,
    batchSize: Number(values['batch-size']),
    learningRate: Number(values['learning-rate']),
  },
  seed: SEED,
  random: new RandomStreams(SEED),
  datasets: { train: { path: values.dataset } },
  target: computeTarget({ threads: Number(values.threads) }),
  // As a trainer does: every row is written out as JSON.
  extensions: () => [new Reporting({ onLogRow: (step, row) => rows.push(JSON.stringify({ step, row })) }), new Gate()],
  outputs: await Outputs.open(await mkdtemp(join(tmpdir(), 'longrun-bench-'))),
});
say({ ready: true, onnxruntime: versionOf('onnxruntime-node') });
await mainLoop.run();

function say(message: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(message));
}
