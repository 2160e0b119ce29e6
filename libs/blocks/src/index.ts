export {
  ALGORITHM_BUFFER,
  ALGORITHM_HYPERPARAMETER,
  ALGORITHM_STATE,
  addRole,
  AUXILIARY,
  BATCH_NORM_DIVISOR,
  BATCH_NORM_GRAPH_VARIABLE,
  BATCH_NORM_MINIBATCH_ESTIMATE,
  BATCH_NORM_OFFSET,
  BATCH_NORM_POPULATION_MEAN,
  BATCH_NORM_POPULATION_STATISTICS,
  BATCH_NORM_POPULATION_STDEV,
  BATCH_NORM_SCALE_PARAMETER,
  BATCH_NORM_SHIFT_PARAMETER,
  BIAS,
  COLLECTED,
  COLLECTOR,
  COST,
  DROPOUT,
  FILTER,
  hasRoles,
  INITIAL_STATE,
  INPUT,
  OUTPUT,
  PARAMETER,
  PERSISTENT,
  RANDOM_STATE,
  rolesOf,
  VariableRole,
  WEIGHT,
} from './roles.js';
export type { HasRolesOptions } from './roles.js';

export { addAnnotation, Annotation, annotationsOf, blocksName, setBlocksName } from './graph/annotations.js';
export type { AuxiliaryVariableOptions } from './graph/annotations.js';
export { ComputationGraph } from './graph/computation-graph.js';
export type { GraphFunctionOptions, ReplacedGraph } from './graph/computation-graph.js';
export { BrickProfile } from './graph/brick-profile.js';
export type { BrickTime, ProfileOptions } from './graph/brick-profile.js';
export { describe } from './graph/describe.js';
export { Model } from './graph/model.js';
export { restoreParameters } from './graph/restore-parameters.js';
export type { ParametersSource } from './graph/restore-parameters.js';
export type { OnUnusedSources } from './graph/batch-function.js';
export { getAnnotation, getApplicationCall, getBrick } from './graph/provenance.js';
export type { BrickClass, BrickPattern, NamePattern } from './selection/criteria.js';
export { replacementOf } from './selection/graph-change.js';
export type { GraphChange, VariableChange } from './selection/graph-change.js';
export { pathOf } from './graph/path-of.js';
export { select } from './selection/selection.js';
export type { Selection } from './selection/selection.js';
export { Path, Selector } from './selection/selector.js';
export { VariableFilter } from './selection/variable-filter.js';
export type { VariableFilterCriteria } from './selection/variable-filter.js';
export { applyBatchNormalization, getBatchNormalizationUpdates } from './transformations/batch-normalization.js';
export type { BatchNormalizationUpdatesOptions } from './transformations/batch-normalization.js';
export { collectParameters } from './transformations/collect-parameters.js';
export type { CollectedParameters } from './transformations/collect-parameters.js';
export { applyDropout } from './transformations/dropout.js';
export type { DropoutOptions } from './transformations/dropout.js';
export { applyNoise } from './transformations/noise.js';
export { applyPenalty } from './transformations/penalty.js';
export type { Penalized, PenaltyOptions } from './transformations/penalty.js';
export { applyTrainingMode } from './transformations/training-mode.js';
export { hessianTimesVectors } from './transformations/hessian-times-vectors.js';
export { ParameterAverage } from './transformations/parameter-average.js';
export type { ParameterAverageOptions } from './transformations/parameter-average.js';

export { Application, application, applicationOf } from './bricks/application.js';
export type { ApplicationNames, ApplicationOptions } from './bricks/application.js';
export { ApplicationCall, currentCall } from './bricks/application-call.js';
export type { CallOptions } from './bricks/application-call.js';
export { BoundApplication } from './bricks/bound-application.js';
export { BrickWrapper, wrap } from './bricks/brick-wrapper.js';
export type { ApplicationResult, NamedVariables } from './bricks/tagging.js';
export { Brick } from './bricks/brick.js';
export type { BrickOptions, Dimension } from './bricks/brick.js';
export type { StateOptions } from './bricks/brick-variables.js';
export { findBricks } from './bricks/find-bricks.js';
export { Lazy, lazy } from './bricks/lazy.js';
export { isFeedforward } from './bricks/feedforward.js';
export type { Feedforward } from './bricks/feedforward.js';
export { Initializable } from './bricks/initializable.js';
export type { InitializableOptions } from './bricks/initializable.js';
export { LinearLike } from './bricks/linear-like.js';
export { Linear } from './bricks/linear.js';
export type { LinearOptions } from './bricks/linear.js';
export {
  Activation,
  Elu,
  Gelu,
  Identity,
  LeakyRectifier,
  Logistic,
  Rectifier,
  Silu,
  Softplus,
  Softsign,
  Tanh,
} from './bricks/activations.js';
export type { LeakyRectifierOptions } from './bricks/activations.js';
export { Bias } from './bricks/bias.js';
export type { BiasOptions } from './bricks/bias.js';
export { Maxout } from './bricks/maxout.js';
export type { MaxoutOptions } from './bricks/maxout.js';
export { LinearMaxout } from './bricks/linear-maxout.js';
export type { LinearMaxoutOptions } from './bricks/linear-maxout.js';
export { LookupTable } from './bricks/lookup-table.js';
export type { LookupTableOptions } from './bricks/lookup-table.js';
export { FixedPermutation } from './bricks/fixed-permutation.js';
export type { FixedPermutationOptions } from './bricks/fixed-permutation.js';
export { Softmax } from './bricks/softmax.js';
export { NDimensionalSoftmax } from './bricks/ndimensional-softmax.js';
export { WithExtraDims } from './bricks/with-extra-dims.js';
export type { ExtraDims } from './bricks/with-extra-dims.js';
export { Sequence } from './bricks/sequence.js';
export { FeedforwardSequence } from './bricks/feedforward-sequence.js';
export { dimsMismatch, MLP } from './bricks/mlp.js';
export type { MLPOptions } from './bricks/mlp.js';
export { ConvolutionalSequence } from './bricks/convolution/convolutional-sequence.js';
export type { ConvolutionalSequenceOptions } from './bricks/convolution/convolutional-sequence.js';
export { ConvolutionalTranspose } from './bricks/convolution/convolutional-transpose.js';
export type { ConvolutionalTransposeOptions } from './bricks/convolution/convolutional-transpose.js';
export { Convolutional } from './bricks/convolution/convolutional.js';
export type { ConvolutionalOptions } from './bricks/convolution/convolutional.js';
export { Flattener } from './bricks/convolution/flattener.js';
export type { ImageLayer, ImageSize } from './bricks/convolution/image-shape.js';
export { AveragePooling, MaxPooling, Pooling } from './bricks/convolution/pooling.js';
export type { AveragePoolingOptions, PoolingOptions } from './bricks/convolution/pooling.js';
export { recurrent } from './bricks/recurrent/recurrent.js';
export type { RecurrentCallOptions } from './bricks/recurrent/call-options.js';
export type { RecurrentOptions } from './bricks/recurrent/recurrent.js';
export { BaseRecurrent } from './bricks/recurrent/base-recurrent.js';
export { SimpleRecurrent } from './bricks/recurrent/simple-recurrent.js';
export type { SimpleRecurrentInputs, SimpleRecurrentOptions } from './bricks/recurrent/simple-recurrent.js';
export { LSTM } from './bricks/recurrent/lstm.js';
export type { LSTMInputs, LSTMOptions, LSTMStates } from './bricks/recurrent/lstm.js';
export { GatedRecurrent } from './bricks/recurrent/gated-recurrent.js';
export type { GatedRecurrentInputs, GatedRecurrentOptions } from './bricks/recurrent/gated-recurrent.js';
export { AbstractAttention } from './bricks/attention/abstract-attention.js';
export type { AttentionOptions, GlimpseInputs } from './bricks/attention/abstract-attention.js';
export { GenericSequenceAttention } from './bricks/attention/generic-sequence-attention.js';
export type { SequenceGlimpses } from './bricks/attention/generic-sequence-attention.js';
export { SequenceContentAttention } from './bricks/attention/sequence-content-attention.js';
export type { SequenceContentAttentionOptions } from './bricks/attention/sequence-content-attention.js';
export { ShallowEnergyComputer } from './bricks/attention/shallow-energy-computer.js';
export type { ShallowEnergyComputerOptions } from './bricks/attention/shallow-energy-computer.js';
export { SimpleSequenceAttention } from './bricks/attention/simple-sequence-attention.js';
export type { StepGlimpses } from './bricks/attention/simple-sequence-attention.js';
export { AbstractAttentionRecurrent } from './bricks/attention/abstract-attention-recurrent.js';
export type { GivenVariables } from './bricks/attention/abstract-attention-recurrent.js';
export { AttentionRecurrent } from './bricks/attention/attention-recurrent.js';
export type { AttentionRecurrentOptions } from './bricks/attention/attention-recurrent.js';
export { AbstractEmitter } from './bricks/sequence-generators/abstract-emitter.js';
export type { Emission } from './bricks/sequence-generators/abstract-emitter.js';
export { AbstractFeedback } from './bricks/sequence-generators/abstract-feedback.js';
export { AbstractReadout } from './bricks/sequence-generators/abstract-readout.js';
export type { AbstractReadoutOptions } from './bricks/sequence-generators/abstract-readout.js';
export { MergeReadout } from './bricks/sequence-generators/merge-readout.js';
export type { MergeReadoutOptions } from './bricks/sequence-generators/merge-readout.js';
export { Readout } from './bricks/sequence-generators/readout.js';
export type { ReadoutOptions } from './bricks/sequence-generators/readout.js';
export { SoftmaxReadout } from './bricks/sequence-generators/softmax-readout.js';
export type { SoftmaxReadoutOptions } from './bricks/sequence-generators/softmax-readout.js';
export { TrivialEmitter } from './bricks/sequence-generators/trivial-emitter.js';
export type { TrivialEmitterOptions } from './bricks/sequence-generators/trivial-emitter.js';
export { SoftmaxEmitter } from './bricks/sequence-generators/softmax-emitter.js';
export type { SoftmaxEmitterOptions } from './bricks/sequence-generators/softmax-emitter.js';
export { TrivialFeedback } from './bricks/sequence-generators/trivial-feedback.js';
export type { TrivialFeedbackOptions } from './bricks/sequence-generators/trivial-feedback.js';
export { LookupFeedback } from './bricks/sequence-generators/lookup-feedback.js';
export type { LookupFeedbackOptions } from './bricks/sequence-generators/lookup-feedback.js';
export { Feedback } from './bricks/sequence-generators/feedback.js';
export type { FeedbackOptions } from './bricks/sequence-generators/feedback.js';
export { FakeAttentionRecurrent } from './bricks/sequence-generators/fake-attention-recurrent.js';
export type { FakeAttentionRecurrentOptions } from './bricks/sequence-generators/fake-attention-recurrent.js';
export { BaseSequenceGenerator } from './bricks/sequence-generators/base-sequence-generator.js';
export type { BaseSequenceGeneratorOptions, CostInputs } from './bricks/sequence-generators/base-sequence-generator.js';
export { SequenceGenerator } from './bricks/sequence-generators/sequence-generator.js';
export type { SequenceGeneratorOptions } from './bricks/sequence-generators/sequence-generator.js';
export { Bidirectional } from './bricks/recurrent/bidirectional.js';
export type { BidirectionalOptions, RecurrentBrick } from './bricks/recurrent/bidirectional.js';
export { RECURRENT_STACK_SEPARATOR, RecurrentStack } from './bricks/recurrent/recurrent-stack.js';
export type { RecurrentStackCallOptions, RecurrentStackOptions } from './bricks/recurrent/recurrent-stack.js';
export { Parallel } from './bricks/parallel/parallel.js';
export type { ParallelOptions } from './bricks/parallel/parallel.js';
export { Fork } from './bricks/parallel/fork.js';
export type { ForkOptions } from './bricks/parallel/fork.js';
export { Merge } from './bricks/parallel/merge.js';
export type { MergeOptions } from './bricks/parallel/merge.js';
export { Distribute } from './bricks/parallel/distribute.js';
export type { DistributeOptions } from './bricks/parallel/distribute.js';
export { BatchNormalization, SpatialBatchNormalization } from './bricks/normalization/batch-normalization.js';
export type { BatchNormalizationOptions, BatchStatistics } from './bricks/normalization/batch-normalization.js';
export { LayerNormalization } from './bricks/normalization/layer-normalization.js';
export type { LayerNormalizationOptions } from './bricks/normalization/layer-normalization.js';
export { Residual } from './bricks/residual.js';
export { MultiHeadAttention } from './bricks/transformer/multi-head-attention.js';
export type { AttentionInputs, MultiHeadAttentionOptions } from './bricks/transformer/multi-head-attention.js';
export { SinusoidalPositions } from './bricks/transformer/sinusoidal-positions.js';
export type { SinusoidalPositionsOptions } from './bricks/transformer/sinusoidal-positions.js';
export { TransformerBlock } from './bricks/transformer/transformer-block.js';
export type { TransformerBlockInputs, TransformerBlockOptions } from './bricks/transformer/transformer-block.js';
export { BatchNormalizedMLP } from './bricks/normalization/batch-normalized-mlp.js';
export type { BatchNormalizedMLPOptions } from './bricks/normalization/batch-normalized-mlp.js';
export { batchNormalization, isInTrainingMode, trainingMode } from './bricks/training-mode.js';
export type { TrainingBehaviour } from './bricks/training-mode.js';
export { Dropout } from './bricks/stochastic/dropout.js';
export type { DropoutBrickOptions } from './bricks/stochastic/dropout.js';
export { EmbeddingDropout } from './bricks/stochastic/embedding-dropout.js';
export type { EmbeddingDropoutOptions } from './bricks/stochastic/embedding-dropout.js';
export { Random } from './bricks/stochastic/random.js';
export type { RandomOptions } from './bricks/stochastic/random.js';
export { Cost } from './bricks/cost.js';
export { AbsoluteError, BinaryCrossEntropy, CostMatrix, SquaredError } from './bricks/cost-matrix.js';
export { CategoricalCrossEntropy } from './bricks/categorical-cross-entropy.js';
export { classificationCosts } from './bricks/classification-costs.js';
export type { ClassificationCosts } from './bricks/classification-costs.js';
export { MisclassificationRate } from './bricks/misclassification-rate.js';
export type { MisclassificationRateOptions } from './bricks/misclassification-rate.js';

export { BeamSearch } from './search/beam-search.js';
export type { BeamSearchOptions, NamedArrays, SearchStart } from './search/beam-search.js';
export type { Hypothesis, SearchRules } from './search/hypotheses.js';

export { Initialization } from './initialization/initialization.js';
export { Constant } from './initialization/constant.js';
export { GlorotNormal, GlorotUniform } from './initialization/glorot.js';
export { HeNormal, HeUniform } from './initialization/he.js';
export type { HeOptions } from './initialization/he.js';
export type { RandomNumbers, RandomSource } from './initialization/random-source.js';
export { IdentityMatrix } from './initialization/identity-matrix.js';
export { IsotropicGaussian } from './initialization/isotropic-gaussian.js';
export { Orthogonal } from './initialization/orthogonal.js';
export { PermutationMatrix } from './initialization/permutation-matrix.js';
export { checkValidPermutation } from './initialization/valid-permutation.js';
export { Sparse, SparseND } from './initialization/sparse.js';
export type { SparseNDOptions, SparseOptions } from './initialization/sparse.js';
export { Uniform } from './initialization/uniform.js';
export type { UniformOptions } from './initialization/uniform.js';

export type { TrainingAlgorithm } from './algorithms/training-algorithm.js';
export { UpdatesAlgorithm } from './algorithms/updates-algorithm.js';
export type { UpdatesAlgorithmOptions } from './algorithms/updates-algorithm.js';
export { GradientDescent } from './algorithms/gradient-descent.js';
export type { GradientDescentOptions } from './algorithms/gradient-descent.js';
export { StepRule } from './algorithms/step-rules/step-rule.js';
export type {
  RuleUpdates,
  StepAndUpdates,
  StepCount,
  StepRuleOptions,
  Steps,
  StepsAndUpdates,
} from './algorithms/step-rules/step-rule.js';
export { AdaDelta } from './algorithms/step-rules/ada-delta.js';
export type { AdaDeltaOptions } from './algorithms/step-rules/ada-delta.js';
export { AdaGrad } from './algorithms/step-rules/ada-grad.js';
export type { AdaGradOptions } from './algorithms/step-rules/ada-grad.js';
export { Adam } from './algorithms/step-rules/adam.js';
export type { AdamOptions } from './algorithms/step-rules/adam.js';
export { AdamW, AMSGrad } from './algorithms/step-rules/adam-w.js';
export type { AdamWOptions } from './algorithms/step-rules/adam-w.js';
export { StepClipping, VariableClipping } from './algorithms/step-rules/clipping.js';
export type { StepClippingOptions, VariableClippingOptions } from './algorithms/step-rules/clipping.js';
export { CompositeRule } from './algorithms/step-rules/composite-rule.js';
export { GradualFreezing } from './algorithms/step-rules/gradual-freezing.js';
export type { FrozenSpan } from './algorithms/step-rules/gradual-freezing.js';
export { GradientAccumulation } from './algorithms/step-rules/gradient-accumulation.js';
export type { GradientAccumulationOptions } from './algorithms/step-rules/gradient-accumulation.js';
export { Lion } from './algorithms/step-rules/lion.js';
export type { LionOptions } from './algorithms/step-rules/lion.js';
export { Lookahead } from './algorithms/step-rules/lookahead.js';
export type { LookaheadOptions } from './algorithms/step-rules/lookahead.js';
export { BasicMomentum, BasicNesterovMomentum, Momentum, NesterovMomentum } from './algorithms/step-rules/momentum.js';
export type { BasicMomentumOptions, MomentumOptions } from './algorithms/step-rules/momentum.js';
export { RemoveNotFinite } from './algorithms/step-rules/remove-not-finite.js';
export type { RemoveNotFiniteOptions } from './algorithms/step-rules/remove-not-finite.js';
export { Restrict } from './algorithms/step-rules/restrict.js';
export { BasicRMSProp, RMSProp } from './algorithms/step-rules/rms-prop.js';
export type { BasicRMSPropOptions, RMSPropOptions } from './algorithms/step-rules/rms-prop.js';
export { Scale } from './algorithms/step-rules/scale.js';
export type { ScaleOptions } from './algorithms/step-rules/scale.js';
export {
  after,
  cosineDecay,
  exponentialDecay,
  inverseSquareRootDecay,
  linearDecay,
  linearWarmup,
  Schedule,
  stepDecay,
} from './algorithms/step-rules/schedule.js';
export type { Factor } from './algorithms/step-rules/schedule.js';

export type { Aggregation } from './monitoring/aggregation.js';
export {
  aggregatedBy,
  aggregationSchemeOf,
  batchConcatenate,
  batchMaximum,
  batchMean,
  batchMinimum,
  perplexity,
  takeLast,
} from './monitoring/aggregation-scheme.js';
export type { AggregationScheme } from './monitoring/aggregation-scheme.js';
export { Aggregator } from './monitoring/aggregator.js';
export type { Monitored } from './monitoring/aggregator.js';
export { MonitoredQuantity } from './monitoring/monitored-quantity.js';
export { MonitoredQuantityBuffer } from './monitoring/monitored-quantity-buffer.js';
export { DatasetEvaluator } from './monitoring/dataset-evaluator.js';
export type { DatasetEvaluatorOptions, EvaluateOptions } from './monitoring/dataset-evaluator.js';

export type { LogRow, LogValue } from './log/log-value.js';
export { logBackends } from './log/log-backends.js';
export { SQLiteLog } from './log/sqlite-log.js';
export type { SQLiteLogOptions } from './log/sqlite-log.js';
export { TrainingLogBase } from './log/training-log-base.js';
export type { RowListener, TrainingStatus } from './log/training-log-base.js';
export { TrainingLog } from './log/training-log.js';
export type { TrainingLogOptions } from './log/training-log.js';
export { WriterLockHeld } from './log/writer-lock.js';

export { Configuration, ConfigurationError } from '@longrun/fuel';
export { BlocksConfiguration, config } from './configuration/config.js';
export type { LogBackendName } from './configuration/config.js';

export { Inventory } from './inventory/inventory.js';
export type { InventoryOf, SavedVariables } from './inventory/inventory.js';
export { MainLoop } from './main-loop/main-loop.js';
export { Profile, Timer } from './main-loop/profile.js';
export type { Activity, TrainingWatch } from './main-loop/training-watch.js';
export type { MainLoopOptions, RunOptions, RunOutcome } from './main-loop/main-loop-options.js';
export type { MainLoopTimes, SnapshotSource, TrainingContext } from './main-loop/training-context.js';
export type { MainLoopArrays, MainLoopContents, MainLoopRestoring } from './main-loop/main-loop-contents.js';

export { TrainingExtension } from './extensions/training-extension.js';
export type {
  CallbackContext,
  CallbackName,
  ExtensionOptions,
  ExtensionRestoring,
} from './extensions/training-extension.js';
export { SimpleExtension } from './extensions/simple-extension.js';
export type { Conditions, Predicate, SimpleExtensionOptions } from './extensions/simple-extension.js';
export { CompositeExtension } from './extensions/composite-extension.js';
export type { CompositeExtensionOptions } from './extensions/composite-extension.js';
export { CostWatch, Diverged } from './extensions/cost-watch.js';
export type { CostWatchOptions, NonFiniteCost } from './extensions/cost-watch.js';
export { costMonitoring } from './extensions/cost-monitoring.js';
export type { CostMonitoringOptions } from './extensions/cost-monitoring.js';
export { EarlyStopping, FinishIfNoImprovementAfter } from './extensions/early-stopping.js';
export type { EarlyStoppingOptions, FinishIfNoImprovementAfterOptions, Patience } from './extensions/early-stopping.js';
export { EpochTable } from './extensions/epoch-table.js';
export { FinishAfter } from './extensions/finish-after.js';
export { onLogRecord } from './extensions/predicates.js';
export { Plot } from './extensions/plot.js';
export type { PlotFigure, PlotOptions } from './extensions/plot.js';
export { PredictDataStream } from './extensions/predict-data-stream.js';
export type { PredictDataStreamOptions } from './extensions/predict-data-stream.js';
export { Printing } from './extensions/printing.js';
export type { PrintingOptions } from './extensions/printing.js';
export { ProgressBar } from './extensions/progress-bar.js';
export type { ProgressBarOptions } from './extensions/progress-bar.js';
export { SharedVariableModifier } from './extensions/shared-variable-modifier.js';
export type { Modification } from './extensions/shared-variable-modifier.js';
export { Timestamp } from './extensions/timestamp.js';
export type { TimestampOptions } from './extensions/timestamp.js';
export { Timing } from './extensions/timing.js';
export type { TimingOptions } from './extensions/timing.js';
export { DataStreamMonitoring, MonitoringExtension, TrainingDataMonitoring } from './extensions/monitoring.js';
export type {
  DataStreamMonitoringOptions,
  MonitoringOptions,
  TrainingDataMonitoringOptions,
} from './extensions/monitoring.js';
export { TrackTheBest } from './extensions/track-the-best.js';
export type { ChooseBest, TrackTheBestOptions } from './extensions/track-the-best.js';
export { Load } from './extensions/load.js';
export type { LoadOptions } from './extensions/load.js';
export { Checkpoint } from './extensions/checkpoint.js';
export type { CheckpointOptions } from './extensions/checkpoint.js';
export { Reporting } from './extensions/reporting.js';
export type { ReportingOptions, TrainingProgress } from './extensions/reporting.js';

export type { AppliedSetting, HyperparameterSetting } from './main-loop/hyperparameters.js';
export { CapturedOutput, Output } from './outputs/output.js';
export { ForeignFolder, OUTPUT_PREFIX, Outputs } from './outputs/outputs.js';
export type { OutputsOptions, SavedOutput } from './outputs/outputs.js';
export { restoreSnapshot, SNAPSHOT_FILES, writeSnapshot } from './snapshot/snapshot.js';
export type { RestoredSnapshot, SnapshotWriting, WrittenSnapshot, WrittenSnapshotFile } from './snapshot/snapshot.js';
export { continueTraining } from './snapshot/continue-training.js';
export { loadParameters } from './snapshot/load-parameters.js';
export { addToSnapshot, loadFromSnapshot } from './snapshot/snapshot-members.js';
export type { SnapshotMember } from './snapshot/snapshot-members.js';
export type { PinnedArrays } from './snapshot/pinned-arrays.js';
export { newestSnapshot, newestWholeSnapshot, saveSnapshot } from './snapshot/snapshot-folder.js';
export type { DamagedSnapshot, FinishedSnapshot, SnapshotSaving } from './snapshot/snapshot-folder.js';

export { defineExperiment, InvalidParams, MissingDataset } from './experiment/experiment-program.js';
export type {
  BuildContext,
  DatasetFile,
  ExperimentDefinition,
  ExperimentProgram,
  HostContext,
  ParamsIssue,
} from './experiment/experiment-program.js';
export { activationsOf, checkLayers, LayerActivations, layersAgree, LayerSizes } from './experiment/layer-params.js';
export type { LabelledExamples, LayerParams } from './experiment/layer-params.js';
export { trainingLoop } from './experiment/training-loop.js';
export type { Training, TrainingParams } from './experiment/training-loop.js';
export { Count, stepRuleOf, TRAINING_PARAMS } from './experiment/training-params.js';
export { loadProgram } from './experiment/load-program.js';
