export { Apply, applyOp } from './graph/apply.js';
export { Constant, constant } from './graph/constant.js';
export { imatrix, iscalar, ivector, lmatrix, lvector, matrix, scalar, tensor, vector } from './graph/creators.js';
export { equalGraphs, equalOps } from './graph/equal.js';
export { graphviz } from './graph/graphviz.js';
export { closeOver, type ClosedGraph, type InnerGraph, type OpInner } from './graph/inner.js';
export { formatOp, type Op, type OpParameter } from './graph/op.js';
export { printGraph } from './graph/print.js';
export { rebuild, type Rebuilt, type RebuildOptions, type Visit } from './graph/rebuild.js';
export { clone, replace, replaceInOrder } from './graph/replace.js';
export { shared, SharedVariable, type SharedOptions } from './graph/shared-variable.js';
export { Tag, tagKey, type TagKey } from './graph/tag.js';
export {
  formatShape,
  formatType,
  isFloat,
  promote,
  TensorTypeError,
  type Dim,
  type TensorType,
} from './graph/tensor-type.js';
export { describe, Variable } from './graph/variable.js';
export { ancestors, graphInputs, toposort, type WalkOptions } from './graph/walk.js';

export { DisconnectedInput, grad, type GradOptions } from './gradient/grad.js';

export { compile, type CompileOptions } from './engine/compile.js';
export { CompiledFunction } from './engine/compiled-function.js';
export { guardWrites, type WriteGuard } from './engine/write-guard.js';
export type { EngineName } from './engine/engine.js';
export { environment, type NumericEnvironment } from './engine/environment.js';

export { abs } from './ops/abs.js';
export { add } from './ops/add.js';
export { and } from './ops/and.js';
export { argmax, type ArgmaxOptions } from './ops/argmax.js';
export { cast } from './ops/cast.js';
export { concatenate } from './ops/concatenate.js';
export { categoricalCrossEntropy, softmaxCrossEntropy } from './ops/cross-entropy.js';
export { dimension } from './ops/dimension.js';
export { dimshuffle, transpose } from './ops/dimshuffle.js';
export { div } from './ops/div.js';
export { dot } from './ops/dot.js';
export type { Operand } from './ops/elementwise.js';
export { eq } from './ops/eq.js';
export { exp } from './ops/exp.js';
export { fill, onesLike, zerosLike } from './ops/fill.js';
export { ge } from './ops/ge.js';
export { gt } from './ops/gt.js';
export { identity } from './ops/identity.js';
export { isfinite } from './ops/isfinite.js';
export { isinf } from './ops/isinf.js';
export { isnan } from './ops/isnan.js';
export { le } from './ops/le.js';
export { log } from './ops/log.js';
export { logSoftmax } from './ops/log-softmax.js';
export { logistic } from './ops/logistic.js';
export { lt } from './ops/lt.js';
export { max } from './ops/max.js';
export { maximum } from './ops/maximum.js';
export { mean } from './ops/mean.js';
export { minimum } from './ops/minimum.js';
export { mul } from './ops/mul.js';
export { neg } from './ops/neg.js';
export { neq } from './ops/neq.js';
export { not } from './ops/not.js';
export { oneHot } from './ops/one-hot.js';
export { or } from './ops/or.js';
export { pick } from './ops/pick.js';
export { pow } from './ops/pow.js';
export { rectifier } from './ops/rectifier.js';
export type { ReductionOptions } from './ops/reduction.js';
export { flatten, reshape } from './ops/reshape.js';
export { sign } from './ops/sign.js';
export { slice, type SliceOptions } from './ops/slice.js';
export { softmax } from './ops/softmax.js';
export { softplus } from './ops/softplus.js';
export { sqrt } from './ops/sqrt.js';
export { square } from './ops/square.js';
export { sub } from './ops/sub.js';
export { sum } from './ops/sum.js';
export { tanh } from './ops/tanh.js';
export { where } from './ops/where.js';
