import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DataStreamMonitoring, writeSnapshot, type MainLoop } from '@longrun/blocks';
import { denseIn, type DataStream } from '@longrun/fuel';
import { z } from 'zod';
import { pythonRemedy, pythonWith } from '../python.js';
import { checkout } from '../report.js';

/** What PyTorch came to. */
export interface PeerFigures {
  /** Of the test pieces, after the last epoch. */
  readonly perplexity: number;
  /** As our `epochs.csv`. */
  readonly table: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** What of a language model PyTorch has to know besides its parameters and batches: of the program's params. */
export const LanguageModelSettings = z.object({
  network: z.string(),
  dim: z.int(),
  layers: z.int(),
  heads: z.int(),
  length: z.int(),
  batchSize: z.int(),
  epochs: z.int(),
  learningRate: z.number(),
});
export type LanguageModelSettings = z.infer<typeof LanguageModelSettings>;

/**
 * The same network by PyTorch, from the same initial parameters, on the same batches in the same order.
 *
 * @param copy a main loop like the one that is to be trained: its streams are used up
 */
export async function languageModelPeer(
  settings: LanguageModelSettings,
  threads: number,
  copy: MainLoop,
  folder: string,
): Promise<PeerFigures | { readonly missing: string }> {
  const modules = ['torch', 'numpy', 'safetensors'];
  const python = pythonWith(modules);
  if (python === undefined) {
    return {
      missing: `PyTorch's perplexity, as there is no Python with ${modules.join(', ')}: ${pythonRemedy(modules)}`,
    };
  }
  await mkdir(folder, { recursive: true });
  await writeSnapshot(copy, folder);
  await writeFile(join(folder, 'train.bin'), await pieces(copy.dataStream, settings.epochs));
  const monitoring = copy.extensions.find((extension) => extension instanceof DataStreamMonitoring);
  if (monitoring === undefined) throw new Error('the language model is evaluated on nothing');
  await writeFile(join(folder, 'test.bin'), await pieces(monitoring.dataStream, 1));
  await writeFile(join(folder, 'settings.json'), JSON.stringify({ ...settings, threads }));
  const script = join(checkout, 'bench', 'peers', 'language_model.py');
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
  const { stdout } = await promisify(execFile)(python, [script, folder], { env });
  const { torch, costs, perplexities } = Answer.parse(JSON.parse(stdout));
  const lines = perplexities.map((perplexity, epoch) => [epoch, costs[epoch], perplexity].join(','));
  return {
    perplexity: perplexities.at(-1) ?? Number.NaN,
    table: `epoch,test_cost,test_perplexity\n${lines.slice(1).join('\n')}\n`,
    versions: { torch },
  };
}

const Answer = z.object({ torch: z.string(), costs: z.array(z.number()), perplexities: z.array(z.number()) });

/** The bytes of all pieces of so many epochs, in order. */
async function pieces(stream: DataStream, epochs: number): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    if (epoch > 0) await stream.nextEpoch();
    for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
      read.push(Uint8Array.from(denseIn(batch.columns, 'text').data, Number));
      batch.release();
    }
  }
  return Buffer.concat(read);
}
