import {
  applicationOf,
  BaseSequenceGenerator,
  BeamSearch,
  CompositeRule,
  costMonitoring,
  Count,
  defineExperiment,
  EpochTable,
  FinishAfter,
  GradientDescent,
  MainLoop,
  select,
  StepClipping,
  stepRuleOf,
  TRAINING_PARAMS,
} from '@longrun/blocks';
import { tensor, transpose } from '@longrun/tensor';
import { z } from 'zod';

import { linesStream } from '../reversed-lines.js';
import { WordReverser } from '../word-reverser.js';
import { WrittenLines } from '../written-lines.js';

/** Learns to write each word of a line backwards, from lines that it draws by itself. */
export default defineExperiment({
  name: 'reverse-words',
  description: 'An encoder and a decoder with attention that learn to write each word of a line backwards.',
  params: z.strictObject({
    lines: Count.default(20_000).meta({ description: 'Lines in an epoch, all of them new.' }),
    testLines: Count.default(500).meta({ description: 'Lines of words that are held out, on which it is evaluated.' }),
    words: Count.default(3).meta({ description: 'Words in a line, at most.' }),
    letters: z.int().min(2, 'give at least 2').default(8).meta({ description: 'Letters in a word, at most.' }),
    dim: Count.default(64).meta({ description: 'Size of what stands for a character, and of each state.' }),
    beamSize: Count.default(5).meta({ description: 'Lines that a search goes on with side by side.' }),
    ...TRAINING_PARAMS,
    batchSize: TRAINING_PARAMS.batchSize.default(64),
    learningRate: TRAINING_PARAMS.learningRate.default(0.003),
  }),
  build(context) {
    const { params, random, seed, target } = context;
    const { words, letters, batchSize, testLines } = params;
    const streamOf = { words, letters, batchSize, seed };
    const heldOut = { ...streamOf, lines: testLines };

    const [characters, reversed] = [places('characters'), places('reversed')];
    const mask = tensor('characters_mask', 'float32', ['batch', 'time']);
    const reverser = new WordReverser(params.dim);
    reverser.initialize(random);
    const cost = reverser.cost(transpose(characters), transpose(mask), transpose(reversed));
    cost.name = 'cost';
    const samples = reverser.generate(transpose(characters), transpose(mask));

    return new MainLoop({
      algorithm: new GradientDescent({
        cost,
        stepRule: new CompositeRule([new StepClipping({ threshold: 1 }), stepRuleOf(params)]),
      }),
      dataStream: linesStream('train', { ...streamOf, lines: params.lines }),
      random,
      ...target,
      extensions: [
        ...costMonitoring(cost, { streams: { test: linesStream('test', heldOut) } }),
        new WrittenLines({
          lines: linesStream('test', heldOut),
          search: new BeamSearch(samples, { beamSize: params.beamSize, ...target }),
          // A space or the end after each word.
          maxLength: words * (letters + 1),
          weights: select(cost).application(applicationOf(BaseSequenceGenerator, 'costMatrix')).name('weights').one(),
          table: context.output('lines.txt'),
          figure: context.output('attention.svg'),
        }),
        new EpochTable(context.output('epochs.csv'), [
          'train_cost',
          'test_cost',
          'test_words_wrong',
          'test_lines_wrong',
        ]),
        new FinishAfter({ afterNEpochs: params.epochs }),
        ...context.extensions(),
      ],
    });
  },
});

function places(name: string): ReturnType<typeof tensor> {
  return tensor(name, 'int64', ['batch', 'time']);
}
