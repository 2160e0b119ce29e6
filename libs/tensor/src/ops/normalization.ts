import { checkArguments, checkOption } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { add } from './add.js';
import { normalizeAxes } from './axis.js';
import { div } from './div.js';
import type { Operand } from './elementwise.js';
import { mean } from './mean.js';
import { mul } from './mul.js';
import { sqrt } from './sqrt.js';
import { sub } from './sub.js';
import { variance } from './variance.js';

/** Options of {@link batchNormalization}. */
export interface BatchNormalizationOptions {
  /** Added to the variance. Default 1e-4, as Theano. */
  readonly epsilon?: number;
}

/**
 * `gamma * (x - mean) / sqrt(variance + epsilon) + beta`, all of which broadcast against x: Theano's `batch_normalization_test`. Its
 * older `batch_normalization` is handed a standard deviation: give its square, and an epsilon of 0. In training, mean and variance
 * are those of the batch, over the axes that `gamma` has not, with `keepdims`.
 */
export function batchNormalization(
  x: Variable,
  gamma: Operand,
  beta: Operand,
  center: Operand,
  spread: Variable,
  options: BatchNormalizationOptions = {},
): Variable {
  checkArguments(
    'batchNormalization',
    ['x', x, 'variable'],
    ['gamma', gamma, 'operand'],
    ['beta', beta, 'operand'],
    ['center', center, 'operand'],
    ['spread', spread, 'variable'],
    ['options', options, 'options'],
  );
  checkOption('batchNormalization', 'epsilon', options.epsilon, 'number');
  const { epsilon = 1e-4 } = options;
  return add(mul(sub(x, center), div(gamma, sqrt(add(spread, epsilon)))), beta);
}

/** Options of {@link layerNormalization}. */
export interface LayerNormalizationOptions {
  /** Axis or axes over which mean and variance are taken; negative ones count from the end. Default: the last. */
  readonly axis?: number | readonly number[];
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
}

/** x less its mean, over its standard deviation, times `gamma`, plus `beta`, which broadcast against x (Ba, Kiros and Hinton 2016). */
export function layerNormalization(
  x: Variable,
  gamma: Operand,
  beta: Operand,
  options: LayerNormalizationOptions = {},
): Variable {
  checkArguments(
    'layerNormalization',
    ['x', x, 'variable'],
    ['gamma', gamma, 'operand'],
    ['beta', beta, 'operand'],
    ['options', options, 'options'],
  );
  checkOption('layerNormalization', 'epsilon', options.epsilon, 'number');
  const { axis = -1, epsilon = 1e-5 } = options;
  const over = { axis: normalizeAxes('layerNormalization', x, axis), keepdims: true };
  return batchNormalization(x, gamma, beta, mean(x, over), variance(x, over), { epsilon });
}
