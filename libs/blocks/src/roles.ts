import { tagKey, type Variable } from '@longrun/tensor';

/**
 * What a variable is for; Blocks' `VariableRole` classes as values. A role is also each of its ancestors: `BIAS` is a `PARAMETER`.
 *
 * Make your own with `new VariableRole('MASK', INPUT)`.
 */
export class VariableRole {
  /** Its name in capitals, as it prints. */
  readonly name: string;
  /** The more general role, null for the most general ones. */
  readonly parent: VariableRole | null;

  constructor(name: string, parent: VariableRole | null = null) {
    this.name = name;
    this.parent = parent;
  }

  /** True when this role is `role` or derived from it. */
  isA(role: VariableRole): boolean {
    return this === role || this.parent?.isA(role) === true;
  }

  toString(): string {
    return this.name;
  }
}

/** Input of a brick's application. */
export const INPUT = new VariableRole('INPUT');
/** Output of a brick's application. */
export const OUTPUT = new VariableRole('OUTPUT');
/** Scalar cost, to train with or to regularise. */
export const COST = new VariableRole('COST');
/** Must be saved with the model. */
export const PERSISTENT = new VariableRole('PERSISTENT');
/** Trainable parameter. */
export const PARAMETER = new VariableRole('PARAMETER', PERSISTENT);
/** Weight matrix. */
export const WEIGHT = new VariableRole('WEIGHT', PARAMETER);
/** Convolution kernel. */
export const FILTER = new VariableRole('FILTER', WEIGHT);
/** Bias. */
export const BIAS = new VariableRole('BIAS', PARAMETER);
/** Learned initial state of a recurrent brick. */
export const INITIAL_STATE = new VariableRole('INITIAL_STATE', PARAMETER);
/** One flat vector that holds many parameters. */
export const COLLECTOR = new VariableRole('COLLECTOR', PARAMETER);
/** Scale of a batch normalization (gamma). */
export const BATCH_NORM_SCALE_PARAMETER = new VariableRole('BATCH_NORM_SCALE_PARAMETER', PARAMETER);
/** Shift of a batch normalization (beta); a bias. */
export const BATCH_NORM_SHIFT_PARAMETER = new VariableRole('BATCH_NORM_SHIFT_PARAMETER', BIAS);
/** Running statistics of a batch normalization: saved, not trained. */
export const BATCH_NORM_POPULATION_STATISTICS = new VariableRole('BATCH_NORM_POPULATION_STATISTICS', PERSISTENT);
/** Running mean. */
export const BATCH_NORM_POPULATION_MEAN = new VariableRole(
  'BATCH_NORM_POPULATION_MEAN',
  BATCH_NORM_POPULATION_STATISTICS,
);
/** Running standard deviation (not variance). */
export const BATCH_NORM_POPULATION_STDEV = new VariableRole(
  'BATCH_NORM_POPULATION_STDEV',
  BATCH_NORM_POPULATION_STATISTICS,
);
/** What a brick draws random numbers from: saved with training, not with the model. */
export const RANDOM_STATE = new VariableRole('RANDOM_STATE');
/** Variable that an annotation adds to the graph. */
export const AUXILIARY = new VariableRole('AUXILIARY');
/** Input with dropout applied. */
export const DROPOUT = new VariableRole('DROPOUT');
/** Slice of a {@link COLLECTOR} that stands in for a parameter. */
export const COLLECTED = new VariableRole('COLLECTED');
/** State of an algorithm. */
export const ALGORITHM_STATE = new VariableRole('ALGORITHM_STATE');
/** Setting of an algorithm, such as a learning rate. */
export const ALGORITHM_HYPERPARAMETER = new VariableRole('ALGORITHM_HYPERPARAMETER', ALGORITHM_STATE);
/** What an algorithm remembers from step to step, such as a velocity. */
export const ALGORITHM_BUFFER = new VariableRole('ALGORITHM_BUFFER', ALGORITHM_STATE);
/** Variable inside an application of a batch normalization. */
export const BATCH_NORM_GRAPH_VARIABLE = new VariableRole('BATCH_NORM_GRAPH_VARIABLE');
/** Mean that an application subtracts. */
export const BATCH_NORM_OFFSET = new VariableRole('BATCH_NORM_OFFSET', BATCH_NORM_GRAPH_VARIABLE);
/** Standard deviation that an application divides by. */
export const BATCH_NORM_DIVISOR = new VariableRole('BATCH_NORM_DIVISOR', BATCH_NORM_GRAPH_VARIABLE);
/** Estimate of a statistic from one batch, in a training graph. */
export const BATCH_NORM_MINIBATCH_ESTIMATE = new VariableRole(
  'BATCH_NORM_MINIBATCH_ESTIMATE',
  BATCH_NORM_GRAPH_VARIABLE,
);

const ROLES = tagKey<readonly VariableRole[]>('roles');

/** The roles of `variable`, in the order in which they were given. */
export function rolesOf(variable: Variable): readonly VariableRole[] {
  return variable.tag.get(ROLES) ?? [];
}

/**
 * Gives `variable` a role. A more specific role replaces its ancestors; an ancestor of a role that is already there changes
 * nothing.
 */
export function addRole(variable: Variable, role: VariableRole): void {
  const roles = rolesOf(variable);
  if (roles.some((present) => present.isA(role))) return;
  // A fresh list: copies of a variable share the list of the original.
  variable.tag.set(ROLES, [...roles.filter((present) => !role.isA(present)), role]);
}

/** Options of {@link hasRoles}. */
export interface HasRolesOptions {
  /** All of the roles are wanted, not any. Default false. */
  readonly matchAll?: boolean;
}

/** True when `variable` has any of `roles` (all of them with `matchAll`); a derived role counts as its ancestors. */
export function hasRoles(variable: Variable, roles: readonly VariableRole[], options: HasRolesOptions = {}): boolean {
  const present = rolesOf(variable);
  const has = (wanted: VariableRole): boolean => present.some((role) => role.isA(wanted));
  return options.matchAll === true ? roles.every(has) : roles.some(has);
}
