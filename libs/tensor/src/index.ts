export { at } from './arrays/at.js';
export { broadcastStrides, offsets, shapeBroadcastsTo } from './arrays/dense-array.js';
export { Apply, applyOp } from './graph/apply.js';
export { Constant, constant } from './graph/constant.js';
export { imatrix, iscalar, ivector, lmatrix, lvector, matrix, scalar, tensor, vector } from './graph/creators.js';
export { floatX, withFloatX, type FloatX } from './graph/float-x.js';
export { equalGraphs, equalOps } from './graph/equal.js';
export {
  DISCONNECTED,
  notDifferentiable,
  type InputGradient,
  type OutputGradient,
  type Undifferentiable,
} from './graph/gradient-flow.js';
export { isGraphInput } from './graph/graph-input.js';
export { graphviz } from './graph/graphviz.js';
export { closeOver, type ClosedGraph } from './graph/inner.js';
export {
  defineOp,
  formatOp,
  onlyGradient,
  type InnerGraph,
  type Op,
  type OpConstructor,
  type OpDefinition,
  type OpInner,
  type OpParameter,
  type OpParameters,
} from './graph/op.js';
export type { Literal } from './graph/literal.js';
export { madeFor, madeTogether, type Part } from './graph/origin.js';
export { printGraph } from './graph/print.js';
export { formatArray, formatNumber, type ArrayFormat } from './inspection/format-array.js';
export { rebuild, type Rebuilt, type RebuildOptions, type Visit } from './graph/rebuild.js';
export { clone, replace, replaceInOrder } from './graph/replace.js';
export { isWithinScan } from './graph/within-scan.js';
export { shared, sharedLike, SharedVariable, type SharedOptions } from './graph/shared-variable.js';
export { Tag, tagKey, type TagKey } from './graph/tag.js';
export {
  commonShape,
  formatShape,
  formatType,
  isAllKnown,
  isAssignable,
  isFloat,
  isKnown,
  promote,
  shapeFits,
  TensorTypeError,
  type Dim,
  type TensorType,
} from './graph/tensor-type.js';
export { describe, Variable } from './graph/variable.js';
export { ancestors, graphInputs, toposort, type WalkOptions } from './graph/walk.js';

export {
  DisconnectedInput,
  grad,
  NotDifferentiable,
  type DisconnectedInputs,
  type GradOptions,
} from './gradient/grad.js';
export { hessianTimesVector, type HessianTimesVectorOptions } from './gradient/hessian-times-vector.js';
export { jacobian } from './gradient/jacobian.js';
export { rOp } from './gradient/r-op.js';

export { compile, type CompileOptions } from './engine/compile.js';
export type { OnUnusedInput } from './engine/on-unused-input.js';
export { CompiledFunction } from './engine/compiled-function.js';
export { evaluate } from './engine/evaluate.js';
export { OpUnsupported, type HostOp } from './engine/partition.js';
export { guardWrites, type WriteGuard } from './engine/write-guard.js';
export { computeTarget, type ComputeOptions } from './engine/compute-target.js';
export type {
  ComputeTarget,
  EngineDefinition,
  Executable,
  FunctionGraph,
  FusionRules,
  ProgramSource,
  ProviderDefinition,
} from './engine/engine.js';
export {
  availableProviders,
  describeTarget,
  EngineUnavailable,
  engineNamed,
  engines,
  registerEngine,
} from './engine/engine-registry.js';
export { environment } from './engine/environment.js';
export type { EngineUpdate, Explanation, FusedUpdates } from './engine/explanation.js';
export type { Rewriting } from './rewrite/history.js';
export type { OtherBits } from './rewrite/rewrites.js';
export { environmentHere, type NumericEnvironment } from './engine/numeric-environment.js';
export type { KernelCall, OpProfile, Profile, RunsOn } from './engine/profile.js';
export { StoredValue } from './engine/stored-value.js';

export { GraphRandomStreams } from './random/graph-random-streams.js';
export { printShape, printSum, printValue, type PrintOptions } from './inspection/print.js';
export { tap } from './inspection/tap.js';

export * from './ops/index.js';
export type { OpName, ParametersOf } from './ops/op-name.js';
