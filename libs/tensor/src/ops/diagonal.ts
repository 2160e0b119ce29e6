import { DTYPES, type DType } from '@longrun/serialization';

import { checkArguments, checkOption } from '../graph/arguments.js';
import { floatX } from '../graph/float-x.js';
import { oneOf } from '../graph/one-of.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { add } from './add.js';
import { arange } from './arange.js';
import { cast } from './cast.js';
import { dimension, sizeAlong } from './dimension.js';
import { eq } from './eq.js';
import { expandDims } from './expand-dims.js';
import { ge } from './ge.js';
import { le } from './le.js';
import { pad } from './pad.js';
import { pick } from './pick.js';
import { slice } from './slice.js';
import { where } from './where.js';

/** Options of {@link eye}. */
export interface EyeOptions {
  /** Default: as many as rows. */
  readonly columns?: number | Variable;
  /** Which diagonal, above the main one where it is positive. Default 0. */
  readonly offset?: number;
  /** Default {@link floatX}. */
  readonly dtype?: DType;
}

/** A matrix of zeros with ones on a diagonal. Sizes are numbers or integer scalars. */
export function eye(rows: number | Variable, options: EyeOptions = {}): Variable {
  checkArguments('eye', ['rows', rows, 'size'], ['options', options, 'options']);
  checkOption('eye', 'columns', options.columns, 'size');
  checkOption('eye', 'offset', options.offset, 'integer');
  const { columns = rows, offset = 0 } = options;
  const dtype = oneOf('eye', 'dtype', options.dtype ?? floatX(), DTYPES);
  return cast(eq(diagonal(rows, offset), arange(0, columns)), dtype);
}

/** The lower triangle of each matrix (..., rows, columns), zeros above the diagonal that lies `offset` above the main one. */
export function tril(x: Variable, offset = 0): Variable {
  checkArguments('tril', ['x', x, 'variable'], ['offset', offset, 'integer']);
  const [rows, columns] = sizesOf('tril', x);
  return where(ge(diagonal(rows, offset), arange(0, columns)), x, 0);
}

/** The upper triangle of each matrix (..., rows, columns), zeros below the diagonal that lies `offset` above the main one. */
export function triu(x: Variable, offset = 0): Variable {
  checkArguments('triu', ['x', x, 'variable'], ['offset', offset, 'integer']);
  const [rows, columns] = sizesOf('triu', x);
  return where(le(diagonal(rows, offset), arange(0, columns)), x, 0);
}

/** NumPy's `diag`: of a vector, the matrix with it on the diagonal that lies `offset` above the main one; of a matrix, that diagonal. */
export function diag(x: Variable, offset = 0): Variable {
  checkArguments('diag', ['x', x, 'variable'], ['offset', offset, 'integer']);
  const [above, below] = [Math.max(0, offset), Math.max(0, -offset)];
  if (x.ndim === 1) {
    const padded = pad(x, [[above, below]]);
    const size = sizeAlong(padded, 0);
    return where(eq(diagonal(size, offset), arange(0, size)), padded, 0);
  }
  if (x.ndim > 2) throw new TensorTypeError(`diag: ${describe(x)} has ${x.ndim} axes; give a vector or a matrix`);
  sizesOf('diag', x);
  const corner = slice(slice(x, below, null), above, null, { axis: 1 });
  const rows = slice(corner, 0, dimension(corner, 1));
  return pick(rows, arange(0, dimension(rows, 0)));
}

/** For each row, as a column, the place of the diagonal in it. */
function diagonal(rows: number | Variable, offset: number): Variable {
  return expandDims(arange(offset, typeof rows === 'number' ? rows + offset : add(rows, offset)), 1);
}

function sizesOf(opName: string, x: Variable): [rows: number | Variable, columns: number | Variable] {
  if (x.ndim < 2)
    throw new TensorTypeError(`${opName}: ${describe(x)} has no rows and columns; give it two axes at least`);
  return [sizeAlong(x, -2), sizeAlong(x, -1)];
}
