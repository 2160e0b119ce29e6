import { describe, type SharedVariable } from '@longrun/tensor';

import { forParameter } from '../algorithms/algorithm-state.js';
import type { TrainingAlgorithm } from '../algorithms/training-algorithm.js';
import type { Model } from '../graph/model.js';
import { pathOf } from '../graph/path-of.js';
import { ALGORITHM_STATE, hasRoles, PERSISTENT } from '../roles.js';
import { uniqueNames } from './unique-names.js';

/** What an {@link Inventory} is taken of. */
export interface InventoryOf {
  readonly model: Pick<Model, 'getPersistentDict'>;
  readonly algorithm: Pick<TrainingAlgorithm, 'sharedVariables'>;
  readonly extensions: readonly UpdatingExtension[];
}

/** What of an extension counts. */
export interface UpdatingExtension {
  readonly name: string;
  readonly updatedVariables: readonly SharedVariable[];
  readonly transientVariables: readonly SharedVariable[];
}

/** Shared variables by the name under which they are saved, in two groups. */
export interface SavedVariables {
  /** Saved with the model, by path: `/mlp/linear_0.W`. */
  readonly parameters: ReadonlyMap<string, SharedVariable>;
  /** All others: `/mlp/linear_0.W:adam.mean`, `adam.time`, `average_cost`. */
  readonly algorithm: ReadonlyMap<string, SharedVariable>;
}

/**
 * The shared variables that are the state of training, each once: those of the model's bricks, all that a step of the algorithm
 * reads or writes, and all that functions of the extensions write. Roles say with what a variable is saved (PERSISTENT: with the
 * model), not whether it is.
 *
 * Names follow from the order of the graph, so the same program gives the same ones. Variables of one name are numbered:
 * `scale.learning_rate`, `scale_1.learning_rate`; those without are called `shared`.
 */
export class Inventory implements SavedVariables {
  readonly parameters: ReadonlyMap<string, SharedVariable>;
  readonly algorithm: ReadonlyMap<string, SharedVariable>;
  readonly #ofModel: ReadonlySet<SharedVariable>;
  readonly #allowed: ReadonlySet<SharedVariable>;

  /** @throws Error when two variables of the model have one path, or when an extension calls transient what is to be saved */
  constructor({ model, algorithm, extensions }: InventoryOf) {
    const ofModel = model.getPersistentDict();
    this.#ofModel = new Set(ofModel.values());
    const written = extensions.flatMap(({ updatedVariables }) => updatedVariables);
    const others = [...new Set([...algorithm.sharedVariables, ...written])].filter((one) => !this.#ofModel.has(one));
    const persistent = others.filter((variable) => hasRoles(variable, [PERSISTENT]));
    this.parameters = new Map([...ofModel, ...uniqueNames(persistent, nameOf, ofModel.keys())]);
    this.algorithm = algorithmNames(
      others.filter((variable) => !hasRoles(variable, [PERSISTENT])),
      this.parameters,
    );
    const saved = new Set([...this.parameters.values(), ...this.algorithm.values()]);
    const transient = extensions.flatMap(({ name, transientVariables }) =>
      transientVariables.map((variable) => ({ name, variable })),
    );
    for (const { name, variable } of transient) {
      if (!saved.has(variable)) continue;
      throw new Error(
        `${name}: ${describe(variable)} is among its transientVariables, but training needs it from step to step; ` +
          'leave it out there, and it is saved',
      );
    }
    this.#allowed = new Set([...saved, ...transient.map(({ variable }) => variable)]);
  }

  /** @throws Error when a function updates what checkpoints would not have, naming both and what to do */
  check(functionName: string, updated: readonly SharedVariable[]): void {
    const lost = updated.filter((variable) => !this.#allowed.has(variable));
    if (lost.length === 0) return;
    throw new Error(
      `${functionName} updates ${lost.map(describe).join(', ')}, which no checkpoint would have: training that goes on ` +
        'from one would end elsewhere. Give the updates to algorithm.addUpdates() before training starts, or name the ' +
        'variables in updatedVariables of the extension, and they are saved; name those in transientVariables whose ' +
        'values never outlive a step',
    );
  }

  /** What a main loop of the first build would have saved: roles decided. */
  byRole(): SavedVariables {
    return {
      parameters: new Map([...this.parameters].filter(([, variable]) => this.#ofModel.has(variable))),
      algorithm: new Map([...this.algorithm].filter(([, variable]) => hasRoles(variable, [ALGORITHM_STATE]))),
    };
  }

  /** Warns about what a main loop of the first build did not save. */
  warnOfUnsaved(): void {
    const then = this.byRole();
    const unsaved = [
      ...[...this.parameters.keys()].filter((name) => !then.parameters.has(name)),
      ...[...this.algorithm.keys()].filter((name) => !then.algorithm.has(name)),
    ];
    if (unsaved.length === 0) return;
    process.emitWarning(
      `An older build wrote the checkpoint and did not save ${unsaved.join(', ')}: these go on from their first values, and ` +
        'training may end elsewhere than an undisturbed run. Start anew if that matters',
      'MainLoopWarning',
    );
  }
}

/** Buffers are named after their parameters, whose names are given first. */
function algorithmNames(
  variables: readonly SharedVariable[],
  parameters: ReadonlyMap<string, SharedVariable>,
): Map<string, SharedVariable> {
  const own = uniqueNames(
    variables.filter((variable) => forParameter(variable) === undefined),
    nameOf,
  );
  const names = new Map([...own, ...parameters].map(([name, variable]) => [variable, name]));
  const buffers = uniqueNames(
    variables.filter((variable) => forParameter(variable) !== undefined),
    (buffer) => {
      const parameter = forParameter(buffer);
      const start = parameter === undefined ? '' : (names.get(parameter) ?? nameOf(parameter));
      return `${start}:${nameOf(buffer)}`;
    },
    own.keys(),
  );
  return new Map([...own, ...buffers]);
}

function nameOf(variable: SharedVariable): string {
  return pathOf(variable) ?? variable.name ?? 'shared';
}
