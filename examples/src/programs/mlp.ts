import {
  activationsOf,
  checkLayers,
  classificationCosts,
  Constant,
  defineExperiment,
  HeNormal,
  LayerActivations,
  layersAgree,
  LayerSizes,
  MLP,
  TRAINING_PARAMS,
  trainingLoop,
} from '@longrun/blocks';
import { Flatten, LabelledSplits } from '@longrun/fuel';
import { flatten, tensor } from '@longrun/tensor';
import { z } from 'zod';

/** Classifies examples of a dataset with sources `features` and `targets` and splits `train` and `test` by an MLP. */
export default defineExperiment({
  name: 'mlp',
  description: 'A multi-layer perceptron that classifies the examples of a dataset such as MNIST or Fashion-MNIST.',
  params: z
    .strictObject({
      dims: LayerSizes.default([784, 500, 500, 10]),
      activations: LayerActivations.default(['rectifier', 'rectifier', 'softmax']),
      ...TRAINING_PARAMS,
    })
    .superRefine(layersAgree),
  async build(context) {
    const { params, random } = context;
    const { dims, batchSize } = params;
    const data = await LabelledSplits.open(context.dataset);
    checkLayers(context, data);
    const train = new Flatten(await data.batches('train', { batchSize, shuffle: random.stream('shuffle') }));
    const test = new Flatten(await data.batches('test', { batchSize }));

    const features = tensor('features', 'float32', ['batch', data.exampleSize]);
    const targets = tensor('targets', data.targetsDtype, ['batch', 1]);
    const mlp = new MLP(activationsOf(params), { dims, weightsInit: new HeNormal(), biasesInit: new Constant(0) });
    mlp.initialize(random);
    const { cost, misclassificationRate } = classificationCosts(flatten(targets), mlp.apply(features));

    return trainingLoop(context, { cost, train, test, variables: [misclassificationRate] });
  },
});
