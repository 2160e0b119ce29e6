import type { DataStream } from '@longrun/fuel';
import {
  checkIdentity,
  type Json,
  type NdArray,
  type RandomStreams,
  StateKind,
  StateMismatch,
  type VersionedState,
} from '@longrun/serialization';

import type { TrainingAlgorithm } from './algorithms/training-algorithm.js';
import type { Inventory } from './inventory/inventory.js';
import type { TrainingLog } from './log/training-log.js';
import { savedPart } from './saved-part.js';
import { checkArrays, setArrays } from './snapshot/named-arrays.js';

/** The kind of a main loop's states. `arrays` says which belong to one: all that are `written`, or those chosen `by role`. */
export const MAIN_LOOP = new StateKind('MainLoop', {
  version: 3,
  namedSince: 3,
  migrations: [
    // In the first version, roles decided which arrays belong to a state; in the second, all that training writes did.
    { from: 1, migrate: (state) => ({ ...state, version: 2, arrays: 'by role' }) },
    // It did not say which algorithm it was.
    {
      from: 2,
      migrate: (state) => ({ arrays: 'written', ...state, version: 3, kind: 'MainLoop', algorithm: null }),
    },
  ],
});

/** The arrays of a main loop, by name. */
export interface MainLoopArrays {
  /** What is saved with the model, by path: `/mlp/linear_0.W`. */
  readonly parameters: ReadonlyMap<string, NdArray>;
  /** All else that training writes: `/mlp/linear_0.W:adam.mean`, `adam.time`. */
  readonly algorithm: ReadonlyMap<string, NdArray>;
}

/** What a main loop goes on from: its `state()` and its `arrays()`. */
export interface MainLoopContents extends MainLoopArrays {
  readonly state: VersionedState;
}

/** What of a main loop has a part in its state, besides the arrays and the outputs. */
export interface StatefulParts {
  readonly algorithm: Pick<TrainingAlgorithm, 'identity'>;
  readonly log: Pick<TrainingLog, 'state' | 'restore'>;
  readonly dataStream: Pick<DataStream, 'state' | 'restore'>;
  readonly random: RandomStreams | undefined;
  /** Their states by name. */
  readonly extensions: { states(): { readonly [name: string]: Json }; restore(saved: Json): void };
}

/** The state of a main loop, see `MainLoop.state`. */
export function stateOf({ algorithm, log, dataStream, random, extensions }: StatefulParts): VersionedState {
  return {
    ...MAIN_LOOP.head,
    arrays: 'written',
    algorithm: algorithm.identity(),
    log: log.state(),
    dataStream: dataStream.state(),
    random: random?.state() ?? null,
    extensions: extensions.states(),
  };
}

/** Gives a main loop a state, see `MainLoop.restore`. */
export function restoreState(parts: StatefulParts, inventory: Inventory, contents: MainLoopContents): void {
  const state = MAIN_LOOP.read(contents.state);
  const byRole = state['arrays'] === 'by role';
  const { parameters, algorithm } = byRole ? inventory.byRole() : inventory;
  checkArrays('parameters of the model', parameters, contents.parameters);
  checkArrays('variables of the algorithm', algorithm, contents.algorithm);
  checkIdentity(
    MAIN_LOOP.name,
    state,
    'algorithm',
    parts.algorithm.identity(),
    'train on with that one, or start anew',
  );
  if (byRole) inventory.warnOfUnsaved();
  parts.log.restore(savedPart('MainLoop', state, 'log'));
  parts.dataStream.restore(savedPart('MainLoop', state, 'dataStream'));
  restoreRandom(parts.random, state);
  parts.extensions.restore(state['extensions'] ?? {});
  setArrays(parameters, contents.parameters);
  setArrays(algorithm, contents.algorithm);
}

function restoreRandom(random: RandomStreams | undefined, state: VersionedState): void {
  const saved = state['random'] ?? null;
  if (random !== undefined) return random.restore(savedPart('MainLoop', state, 'random'));
  if (saved === null) return undefined;
  throw new StateMismatch(
    'MainLoop: the saved state has random streams but this main loop was given none; ' +
      'build it with the program that saved the state',
  );
}
