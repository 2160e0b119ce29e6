import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadProgram, Outputs, type LogRow, type MainLoop } from '@longrun/blocks';
import { text } from '@longrun/fuel';
import { RandomStreams } from '@longrun/serialization';
import { computeTarget } from '@longrun/tensor';
import { convertedFashionMnist } from '../fashion-mnist.js';
import { checkout, type Report, type Row, stateFolder } from '../report.js';
import { languageModelPeer, LanguageModelSettings, type PeerFigures } from './language-model-peer.js';

/** A program of examples/, and what of its last row is a figure. */
interface Figured {
  /** What its curve is called, in `bench/programs` of the state folder. */
  readonly name: string;
  readonly program: string;
  /** What differs from the defaults. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly reads: 'images' | 'text' | 'nothing';
  readonly record: string;
  /** No more than this, or than so many times the peer's value. */
  readonly goal: number;
  readonly peer?: 'PyTorch';
}

const FIGURED: readonly Figured[] = [
  { name: 'parity', program: 'parity', reads: 'nothing', record: 'test_misclassification_rate', goal: 0 },
  { name: 'markov-chain', program: 'markov-chain', reads: 'nothing', record: 'test_transition_distance', goal: 0.02 },
  { name: 'reverse-words', program: 'reverse-words', reads: 'nothing', record: 'test_words_wrong', goal: 0.05 },
  {
    name: 'mlp',
    program: 'mlp',
    params: { epochs: 10, learningRate: 0.001 },
    reads: 'images',
    record: 'test_misclassification_rate',
    goal: 0.12,
  },
  {
    name: 'batch-normalization',
    program: 'batch-normalization',
    reads: 'images',
    record: 'test_misclassification_rate',
    goal: 0.12,
  },
  { name: 'lenet', program: 'lenet', reads: 'images', record: 'test_misclassification_rate', goal: 0.095 },
  {
    name: 'lstm',
    program: 'language-model',
    params: { network: 'lstm' },
    reads: 'text',
    record: 'test_perplexity',
    goal: 1.02,
    peer: 'PyTorch',
  },
  {
    name: 'transformer',
    program: 'language-model',
    params: { network: 'transformer', layers: 2, learningRate: 0.002 },
    reads: 'text',
    record: 'test_perplexity',
    goal: 1.02,
    peer: 'PyTorch',
  },
];

const [SEED, THREADS] = [1, 1];
/** The text that the language models read is what the documentation was then. */
const TEXT_COMMIT = '95181bc0';

/** What the programs of examples/ come to by their defaults, from a fixed seed; their `epochs.csv` are kept for figures. */
export async function programFigures(): Promise<Required<Pick<Report, 'rows' | 'versions' | 'missing'>>> {
  const curves = join(stateFolder, 'bench', 'programs');
  await mkdir(curves, { recursive: true });
  const scratch = await mkdtemp(join(tmpdir(), 'longrun-bench-'));
  const [rows, missing, versions]: [Row[], string[], Record<string, string>] = [[], [], {}];
  try {
    const texts = await textDataset(scratch).catch((error: unknown) => {
      missing.push(
        `language models, as git gave no documents of ${TEXT_COMMIT}: ${String(error)}; fetch all of the history`,
      );
    });
    const images = await convertedFashionMnist();
    for (const figured of FIGURED) {
      const dataset = { images, text: texts, nothing: null }[figured.reads];
      if (dataset === undefined) continue;
      const folder = join(scratch, figured.name);
      const outputs = join(folder, 'outputs');
      const { mainLoop } = await built(figured, dataset, outputs);
      await mainLoop.run();
      await cp(join(outputs, 'epochs.csv'), join(curves, `${figured.name}.csv`));
      const peer = figured.peer && (await peerOf(figured, dataset, folder));
      if (peer !== undefined && 'missing' in peer) missing.push(peer.missing);
      const figures = peer === undefined || 'missing' in peer ? undefined : peer;
      if (figures !== undefined) {
        Object.assign(versions, figures.versions);
        await writeFile(join(curves, `${figured.name}-pytorch.csv`), figures.table);
      }
      rows.push(rowOf(figured, mainLoop.log.currentRow, mainLoop.status.iterationsDone, figures));
    }
  } finally {
    await rm(scratch, { recursive: true });
  }
  return { rows, versions, missing };
}

async function built(
  { program: name, params: given = {} }: Figured,
  dataset: string | null,
  outputs: string,
): Promise<{ readonly mainLoop: MainLoop; readonly params: unknown }> {
  const program = await loadProgram(join(checkout, 'examples', 'dist', 'programs', `${name}.js`));
  const params = program.parseParams(given);
  const mainLoop = await program.build({
    params,
    seed: SEED,
    random: new RandomStreams(SEED),
    datasets: dataset === null ? {} : { train: { path: dataset } },
    target: computeTarget({ threads: THREADS }),
    extensions: () => [],
    outputs: await Outputs.open(outputs),
  });
  return { mainLoop, params };
}

async function peerOf(figured: Figured, dataset: string | null, folder: string): ReturnType<typeof languageModelPeer> {
  const { mainLoop, params } = await built(figured, dataset, join(folder, 'copy'));
  return await languageModelPeer(LanguageModelSettings.parse(params), THREADS, mainLoop, folder);
}

async function textDataset(folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', `git archive ${TEXT_COMMIT} '*.md' | tar -xO`], {
    cwd: checkout,
    maxBuffer: 2 ** 24,
  });
  await writeFile(join(folder, 'text.txt'), stdout);
  const path = join(folder, 'text.hdf5');
  await text.convert(folder, path, text.params.parse({}));
  return path;
}

/** One run: nothing is drawn but from the seed, so that another would come to the same. */
function rowOf(figured: Figured, last: LogRow, steps: number, peer: PeerFigures | undefined): Row {
  const { name, record, goal } = figured;
  const value = Number(last[record]);
  const what = `${name} after ${steps} steps, ${record}`;
  if (figured.peer === undefined) {
    return { what, value, unit: '', peer: null, ratio: null, goal: `<= ${goal}`, met: value <= goal };
  }
  const ratio = peer === undefined ? null : value / peer.perplexity;
  return {
    what: `${what}; peer: ${figured.peer} from the same parameters on the same batches`,
    value,
    unit: '',
    peer: peer?.perplexity ?? null,
    ratio,
    goal: `ratio <= ${goal}`,
    met: ratio !== null && ratio <= goal,
  };
}
