import { z } from 'zod';

import { Logistic, Rectifier, Tanh, type Activation } from '../bricks/activations.js';
import { dimsMismatch } from '../bricks/mlp.js';
import type { BuildContext } from './experiment-program.js';

export const LayerSizes = z
  .array(z.int('a layer has a whole number of units').min(1, 'a layer has at least 1 unit'))
  .min(2, 'give the size of the input and of at least one layer')
  .meta({ description: 'Values of an example, then the size of each layer; the last is the number of classes.' });

export const LayerActivations = z
  .array(z.enum(['rectifier', 'tanh', 'logistic', 'softmax']))
  .min(1, 'give at least one layer')
  .superRefine((activations, context) => {
    for (const [layer, activation] of activations.entries()) {
      if ((activation === 'softmax') === (layer === activations.length - 1)) continue;
      const [message, remedy] =
        activation === 'softmax'
          ? ['softmax is the activation of the last layer only', 'choose another one here']
          : [`the last activation is ${activation}, but classes need softmax`, 'put softmax there'];
      context.addIssue({ code: 'custom', path: [layer], message, params: { remedy } });
    }
  })
  .meta({ description: 'The activation of each layer. The last, and no other, is `softmax`.' });

/** Layers that params describe. */
export interface LayerParams {
  readonly dims: z.output<typeof LayerSizes>;
  readonly activations: z.output<typeof LayerActivations>;
}

/** A rule of params, for `superRefine`: as many activations as layers. */
export function layersAgree({ dims, activations }: LayerParams, context: z.RefinementCtx): void {
  if (dims.length === activations.length + 1) return;
  const { fault, remedy } = dimsMismatch(dims.length, activations.length);
  context.addIssue({ code: 'custom', path: ['dims'], message: fault, params: { remedy } });
}

/** The activations that params name, for the layers of an `MLP` that gives logits: softmax is left to the cost, which is computed from them. */
export function activationsOf({ activations }: Pick<LayerParams, 'activations'>): (Activation | null)[] {
  return activations.map((name) => ACTIVATIONS[name]());
}

const ACTIVATIONS: Readonly<Record<LayerParams['activations'][number], () => Activation | null>> = {
  rectifier: () => new Rectifier(),
  tanh: () => new Tanh(),
  logistic: () => new Logistic(),
  softmax: () => null,
};

/** Examples with classes, as far as layers must fit them; `LabelledSplits` of Fuel are such. */
export interface LabelledExamples {
  /** What they are called in errors. */
  readonly name: string;
  /** Values of an example. */
  readonly exampleSize: number;
  readonly classesCount: number;
}

/** Refuses layers that do not fit the examples and the classes of a dataset. @throws InvalidParams */
export function checkLayers({ params, invalidParam }: BuildContext<LayerParams>, data: LabelledExamples): void {
  const { name, exampleSize, classesCount } = data;
  const { dims } = params;
  if (dims[0] !== exampleSize) {
    throw invalidParam(
      ['dims', 0],
      `dims starts with ${dims[0]} but an example of ${name} has ${exampleSize} values; give dims[0] = ${exampleSize}`,
    );
  }
  const classes = dims.at(-1) ?? 0;
  if (classes < classesCount) {
    throw invalidParam(
      ['dims', dims.length - 1],
      `dims ends with ${classes} but ${name} has the class ${classesCount - 1}; give at least ${classesCount} classes`,
    );
  }
}
