import { constructorOf, type Op } from '../graph/op.js';
import * as exported from './index.js';

/** Whether an op is one of this room: its name and its parameters, with the graph inside of it, say all that it does. */
export function isOwnOp(op: Op): boolean {
  const constructor = constructorOf(op);
  return constructor !== undefined && CONSTRUCTORS.has(constructor);
}

/** Of all ops: exported as they are, or with an elementwise function. */
const CONSTRUCTORS: ReadonlySet<object> = new Set(
  Object.values(exported).map((made) => ('op' in made && typeof made.op === 'function' ? made.op : made)),
);
