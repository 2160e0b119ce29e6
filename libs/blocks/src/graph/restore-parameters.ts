import {
  openTensors,
  planRestore,
  restoredValue,
  tensorsInMemory,
  type BytesSource,
  type NdArray,
  type RestoreOptions,
  type RestorePlan,
  type TensorSource,
  type WantedTensor,
} from '@longrun/serialization';
import { isKnown, type SharedVariable } from '@longrun/tensor';

import type { TrainingContext } from '../main-loop/training-context.js';
import type { Model } from './model.js';

/**
 * Where parameters are restored from: a file or object with tensors, by its path or key (see `openTensors`), one that is open and stays so, or
 * arrays by path.
 */
export type ParametersSource = BytesSource | TensorSource | ReadonlyMap<string, NdArray>;

/**
 * Gives what is saved with a model (parameters, and states such as population statistics) the values that a source has under the same paths, or
 * under others as the options say: of a checkpoint, of an earlier model, of NumPy. Only what is needed is read.
 *
 * By default all of the one fits all of the other. It is all or nothing: where something is refused, or cannot be read, no value has changed.
 *
 * @returns what was restored from where, what stays as it is, and what the source has besides
 * @throws RestoreRefused with every fault; UnknownTensorFile and what else `openTensors` throws; Error while training updates a value
 */
export async function restoreParameters(
  into: Model | Pick<TrainingContext, 'inventory'>,
  from: ParametersSource,
  options: RestoreOptions = {},
): Promise<RestorePlan> {
  const variables = 'inventory' in into ? into.inventory.parameters : into.getPersistentDict();
  if (isArrays(from)) return restoreFrom(tensorsInMemory(from), variables, options);
  if (isTensorSource(from)) return restoreFrom(from, variables, options);
  const file = await openTensors(from);
  try {
    return await restoreFrom(file, variables, options);
  } finally {
    await file.close();
  }
}

async function restoreFrom(
  source: TensorSource,
  variables: ReadonlyMap<string, SharedVariable>,
  options: RestoreOptions,
): Promise<RestorePlan> {
  const plan = planRestore(
    source,
    new Map(
      [...variables].map(([path, variable]): [string, WantedTensor] => [
        path,
        { ...variable.valueType, sizes: variable.shape.map((size) => (isKnown(size) ? size : null)) },
      ]),
    ),
    options,
  );
  const values: (readonly [SharedVariable, NdArray])[] = [];
  for (const tensor of plan.restored) {
    const variable = variables.get(tensor.name);
    if (variable === undefined) continue;
    const present = variable.pin();
    try {
      values.push([variable, await restoredValue(source, tensor, await present.read())]);
    } finally {
      present.release();
    }
  }
  // Each is asked first, so that none is set where another cannot be.
  for (const [variable] of values) variable.assertQuiet('restoreParameters');
  for (const [variable, value] of values) variable.setValue(value);
  return plan;
}

function isArrays(from: ParametersSource): from is ReadonlyMap<string, NdArray> {
  return from instanceof Map;
}

function isTensorSource(from: Exclude<ParametersSource, ReadonlyMap<string, NdArray>>): from is TensorSource {
  return typeof from === 'object' && 'tensors' in from;
}
