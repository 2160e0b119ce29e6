import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { formatType } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { dimension } from '../ops/dimension.js';
import { sum } from '../ops/sum.js';
import { formatArray } from './format-array.js';
import { watch } from './tap.js';

/** Options of {@link printValue}, {@link printSum} and {@link printShape}. */
export interface PrintOptions {
  /** What the line begins with. Default: the name of the variable. */
  readonly header?: string;
  /** Is given each line, without its end. Default: writes it to the standard output. */
  readonly print?: (line: string) => void;
}

/**
 * A new variable with the value of `x`, which is printed whenever a compiled function has computed it, as with {@link tap}; of more
 * than 1000 elements those at the edges. Theano's `Print`.
 */
export function printValue(x: Variable, options: PrintOptions = {}): Variable {
  checkArguments('printValue', ['x', x, 'variable'], ['options', options, 'options']);
  const print = printer(x, options);
  return watch(x, {
    of: (watched) => [watched],
    callback: (values) => {
      const value = at(values, 0);
      print(`${formatType(value)} ${formatArray(value)}`);
    },
  });
}

/** As {@link printValue}, but prints the sum of the elements, which the engine computes. Blocks' `print_sum`. */
export function printSum(x: Variable, options: PrintOptions = {}): Variable {
  checkArguments('printSum', ['x', x, 'variable'], ['options', options, 'options']);
  const print = printer(x, options);
  return watch(x, {
    of: (watched) => [sum(watched)],
    callback: (values) => print(`sum ${formatArray(at(values, 0))}`),
  });
}

/** As {@link printValue}, but prints the shape; the elements stay where the engine has them. Blocks' `print_shape`. */
export function printShape(x: Variable, options: PrintOptions = {}): Variable {
  checkArguments('printShape', ['x', x, 'variable'], ['options', options, 'options']);
  const print = printer(x, options);
  return watch(x, {
    of: (watched) => watched.shape.map((_, axis) => dimension(watched, axis)),
    callback: (sizes) => print(formatType({ dtype: x.dtype, shape: sizes.map(({ data }) => Number(data[0])) })),
  });
}

function printer(x: Variable, { header = x.toString(), print = printLine }: PrintOptions): (what: string) => void {
  return (what) => {
    print(`${header}: ${what}`);
  };
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
