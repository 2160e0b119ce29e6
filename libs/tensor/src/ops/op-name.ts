import type { Op } from '../graph/op.js';
import type * as ops from './index.js';

/** The op that an export of `ops/index.ts` makes: of a constructor, or of an elementwise function, which carries its own. */
type OpOf<Export> = Export extends { readonly op: (...parameters: never) => infer Made }
  ? Made
  : Export extends (...parameters: never) => infer Made
    ? Made extends Op
      ? Made
      : never
    : never;

type AnyOp = { [E in keyof typeof ops]: OpOf<(typeof ops)[E]> }[keyof typeof ops];

/** The names of all ops of this room, read off their definitions. */
export type OpName = AnyOp['name'];

/** The parameters of the op of that name. */
export type ParametersOf<N extends OpName> = Extract<AnyOp, { readonly name: N }>['parameters'];
