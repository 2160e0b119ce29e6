import {
  applyDropout,
  classificationCosts,
  ComputationGraph,
  Constant,
  Convolutional,
  ConvolutionalSequence,
  defineExperiment,
  FeedforwardSequence,
  Flattener,
  GradientDescent,
  HeNormal,
  IsotropicGaussian,
  MaxPooling,
  MLP,
  OUTPUT,
  Rectifier,
  select,
  stepRuleOf,
  TRAINING_PARAMS,
  trainingLoop,
} from '@longrun/blocks';
import { LabelledSplits } from '@longrun/fuel';
import { at, flatten, GraphRandomStreams, tensor } from '@longrun/tensor';
import { z } from 'zod';

const Size = z.int('give a whole number').min(1, 'give at least 1');

/** Classifies images of a dataset with sources `features` (channels, rows, columns) and `targets` and splits `train` and `test` as LeNet does (LeCun et al., 1998). */
export default defineExperiment({
  name: 'lenet',
  description:
    'A convolutional network (LeNet) that classifies the images of a dataset such as MNIST or Fashion-MNIST.',
  params: z.strictObject({
    filters: z
      .array(Size)
      .min(1, 'give at least one convolution')
      .default([20, 50])
      .meta({ description: 'How many filters each convolution has; each is followed by a rectifier and a pooling.' }),
    filterSize: Size.default(5).meta({ description: 'Rows and columns of a filter.' }),
    poolingSize: Size.default(2).meta({ description: 'Rows and columns of which the largest is taken.' }),
    hidden: Size.default(500).meta({ description: 'Units between the convolutions and the classes.' }),
    dropout: z
      .number()
      .min(0, 'give 0 or more')
      .lt(1, 'give less than 1')
      .default(0.5)
      .meta({ description: 'How likely each of these is left out in a step of training.' }),
    ...TRAINING_PARAMS,
    epochs: TRAINING_PARAMS.epochs.default(10),
    learningRate: TRAINING_PARAMS.learningRate.default(0.001),
  }),
  async build(context) {
    const { params, random, seed } = context;
    const { batchSize, dropout, filters, filterSize, poolingSize, hidden } = params;
    const data = await LabelledSplits.open(context.dataset);
    const train = await data.batches('train', { batchSize, shuffle: random.stream('shuffle') });
    const test = await data.batches('test', { batchSize });

    const [channels = 1, rows = 1, columns = 1] = data.exampleShape;
    const layers = filters.flatMap((numFilters, layer) => {
      const fanIn = (filters[layer - 1] ?? channels) * filterSize ** 2;
      const weightsInit = new IsotropicGaussian(Math.sqrt(2 / fanIn));
      return [
        new Convolutional({
          name: `convolution_${layer}`,
          filterSize,
          numFilters,
          weightsInit,
          biasesInit: new Constant(0),
        }),
        new Rectifier({ name: `rectifier_${layer}` }),
        new MaxPooling({ name: `pooling_${layer}`, poolingSize }),
      ];
    });
    const convolutions = new ConvolutionalSequence(layers, { numChannels: channels, imageSize: [rows, columns] });
    const values = [convolutions.getDim('output')].flat().reduce((product, size) => product * size, 1);
    const hiddenUnits = new Rectifier({ name: 'hidden' });
    const classifier = new MLP([hiddenUnits, null], {
      dims: [values, hidden, data.classesCount],
      weightsInit: new HeNormal(),
      biasesInit: new Constant(0),
    });
    const lenet = new FeedforwardSequence([convolutions, new Flattener(), classifier], { name: 'lenet' });
    lenet.initialize(random);

    const features = tensor('features', 'float32', ['batch', channels, rows, columns]);
    const targets = tensor('targets', data.targetsDtype, ['batch', 1]);
    const evaluation = classificationCosts(flatten(targets), lenet.apply(features));

    const graph = new ComputationGraph(evaluation.cost);
    const dropped = select(graph).brick(hiddenUnits).role(OUTPUT).assertCount(1);
    const training = applyDropout(graph, dropped, dropout, new GraphRandomStreams(seed, 'dropout')).graph;
    const cost = at(training.outputs, 0);
    const algorithm = new GradientDescent({ cost, stepRule: stepRuleOf(params) });
    algorithm.addUpdates(training.updates);
    return trainingLoop(context, {
      cost,
      algorithm,
      train,
      test,
      evaluationCost: evaluation.cost,
      variables: [evaluation.misclassificationRate],
    });
  },
});
