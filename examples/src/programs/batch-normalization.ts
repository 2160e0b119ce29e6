import {
  activationsOf,
  batchNormalization,
  BatchNormalizedMLP,
  checkLayers,
  classificationCosts,
  ComputationGraph,
  Constant,
  defineExperiment,
  getBatchNormalizationUpdates,
  GradientDescent,
  HeNormal,
  LayerActivations,
  layersAgree,
  LayerSizes,
  stepRuleOf,
  TRAINING_PARAMS,
  trainingLoop,
} from '@longrun/blocks';
import { Flatten, LabelledSplits } from '@longrun/fuel';
import { add, flatten, mul, tensor } from '@longrun/tensor';
import { z } from 'zod';

/** As `mlp`, with a batch normalization before each activation: of the batch in training, of the population in evaluation. */
export default defineExperiment({
  name: 'batch-normalization',
  description: 'A multi-layer perceptron with batch normalization that classifies the examples of a dataset.',
  params: z
    .strictObject({
      dims: LayerSizes.default([784, 500, 500, 10]),
      activations: LayerActivations.default(['rectifier', 'rectifier', 'softmax']),
      memory: z
        .number()
        .min(0, 'give 0 or more')
        .lt(1, 'give less than 1, or the statistics of the population never change')
        .default(0.99)
        .meta({ description: 'How much of the statistics of the population each batch leaves as it was.' }),
      ...TRAINING_PARAMS,
      epochs: TRAINING_PARAMS.epochs.default(10),
      learningRate: TRAINING_PARAMS.learningRate.default(0.0003),
    })
    .superRefine(layersAgree),
  async build(context) {
    const { params, random } = context;
    const { dims, batchSize, memory } = params;
    const data = await LabelledSplits.open(context.dataset);
    checkLayers(context, data);
    const train = new Flatten(await data.batches('train', { batchSize, shuffle: random.stream('shuffle') }));
    const test = new Flatten(await data.batches('test', { batchSize }));

    const features = tensor('features', 'float32', ['batch', data.exampleSize]);
    const targets = flatten(tensor('targets', data.targetsDtype, ['batch', 1]));
    const mlp = new BatchNormalizedMLP(activationsOf(params), {
      dims,
      weightsInit: new HeNormal(),
      biasesInit: new Constant(0),
    });
    mlp.initialize(random);
    const training = classificationCosts(
      targets,
      batchNormalization(mlp, () => mlp.apply(features)),
    );
    const evaluation = classificationCosts(targets, mlp.apply(features));

    const { cost } = training;
    const algorithm = new GradientDescent({ cost, stepRule: stepRuleOf(params) });
    const statistics = getBatchNormalizationUpdates(new ComputationGraph(cost));
    algorithm.addUpdates(
      statistics.map(([population, ofBatch]) => [population, add(mul(population, memory), mul(ofBatch, 1 - memory))]),
    );
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
