import type { DataStream } from '@longrun/fuel';
import {
  checkIdentity,
  copyOfJson,
  type Json,
  type RandomStreams,
  StateKind,
  StateMismatch,
  type VersionedState,
} from '@longrun/serialization';
import type { SharedVariable } from '@longrun/tensor';
import { isDeepStrictEqual } from 'node:util';

import { firstValue } from '../algorithms/algorithm-state.js';
import type { TrainingAlgorithm } from '../algorithms/training-algorithm.js';
import type { ExtensionList } from '../extensions/extension-list.js';
import type { Hyperparameters } from './hyperparameters.js';
import type { Model } from '../graph/model.js';
import { Inventory } from '../inventory/inventory.js';
import { encodeLogValue } from '../log/log-value.js';
import type { TrainingLogBase } from '../log/training-log-base.js';
import type { MainLoopArrays, MainLoopContents, MainLoopRestoring } from './main-loop-contents.js';
import { savedPart } from './saved-part.js';
import { checkArrays, copiesOf, setArrays } from '../snapshot/named-arrays.js';

/** The kind of a main loop's states. `arrays` says which belong to one: all that are `written`, or those chosen `by role`. */
export const MAIN_LOOP = new StateKind('MainLoop', {
  version: 5,
  namedSince: 3,
  migrations: [
    // In the first version, roles decided which arrays belong to a state; in the second, all that training writes did.
    { from: 1, migrate: (state) => ({ ...state, version: 2, arrays: 'by role' }) },
    // It did not say which algorithm it was.
    {
      from: 2,
      migrate: (state) => ({ arrays: 'written', ...state, version: 3, kind: 'MainLoop', algorithm: null }),
    },
    // It did not say what hyperparameters were built with.
    { from: 3, migrate: (state) => ({ ...state, version: 4, hyperparameters: {} }) },
    // None could be set while it trained.
    { from: 4, migrate: (state) => ({ ...state, version: 5, settings: [] }) },
  ],
});

/** What of a main loop has a part in its state, besides the arrays and the outputs. */
export interface StatefulParts {
  readonly model: Model;
  readonly algorithm: Pick<TrainingAlgorithm, 'identity' | 'sharedVariables'>;
  readonly hyperparameters: Pick<Hyperparameters, 'state' | 'restore'>;
  readonly log: Pick<TrainingLogBase, 'state' | 'restore' | 'reopen' | 'resume'>;
  readonly dataStream: Pick<DataStream, 'state' | 'restore'>;
  readonly random: RandomStreams | undefined;
  /** Their states by name. */
  readonly extensions: ExtensionList;
}

/** All that training goes on from: what of it is JSON, and the arrays that the {@link Inventory} names. */
export class TrainingState {
  readonly #parts: StatefulParts;
  #inventory: Inventory | undefined;

  constructor(parts: StatefulParts) {
    this.#parts = parts;
  }

  /** Which arrays there are: taken anew at each look until it is {@link fixInventory fixed}. @throws Error when not all can be saved */
  get inventory(): Inventory {
    const { model, algorithm, extensions } = this.#parts;
    return this.#inventory ?? new Inventory({ model, algorithm, extensions: [...extensions] });
  }

  /** The arrays are those that there are now, from here on. */
  fixInventory(): void {
    this.#inventory = this.inventory;
  }

  /** See `MainLoop.state`. A copy: it is written while training goes on, and extensions may give out what they go on changing. */
  state(): VersionedState {
    return copyOfJson(this.#present());
  }

  #present(): VersionedState {
    const { algorithm, hyperparameters, log, dataStream, random, extensions } = this.#parts;
    return {
      ...MAIN_LOOP.head,
      arrays: 'written',
      algorithm: algorithm.identity(),
      hyperparameters: hyperparametersIn(this.inventory.algorithm),
      settings: hyperparameters.state(),
      log: log.state(),
      dataStream: dataStream.state(),
      random: random?.state() ?? null,
      extensions: extensions.states(),
    };
  }

  /** See `MainLoop.arrays`. */
  async arrays(): Promise<MainLoopArrays> {
    const { inventory } = this;
    const copies = [copiesOf(inventory.parameters), copiesOf(inventory.algorithm)] as const;
    return { parameters: await copies[0], algorithm: await copies[1] };
  }

  /** See `MainLoop.restore`. */
  restore(contents: MainLoopContents, { fork = null }: MainLoopRestoring): void {
    const parts = this.#parts;
    const { inventory } = this;
    const state = MAIN_LOOP.read(contents.state);
    const byRole = state['arrays'] === 'by role';
    const { parameters, algorithm } = byRole ? inventory.byRole() : inventory;
    checkArrays('parameters of the model', parameters, contents.parameters);
    checkArrays('variables of the algorithm', algorithm, contents.algorithm);
    checkIdentity(MAIN_LOOP.name, state, 'algorithm', parts.algorithm.identity(), REMEDY);
    if (byRole) inventory.warnOfUnsaved();
    parts.log.restore(savedPart('MainLoop', state, 'log'));
    // A place in other data is none.
    const otherData = fork?.otherDatasets === true;
    if (!otherData) parts.dataStream.restore(savedPart('MainLoop', state, 'dataStream'));
    restoreRandom(parts.random, state);
    parts.extensions.restore(state['extensions'] ?? {}, { otherData });
    setArrays(parameters, contents.parameters);
    const rebuilt = fork === null ? new Set() : rebuiltIn(algorithm, state);
    setArrays(new Map([...algorithm].filter(([name]) => !rebuilt.has(name))), contents.algorithm);
    // Their numbers are those of that run; what they set stays.
    parts.hyperparameters.restore(fork === null ? state['settings'] : []);
    if (fork === null) return;
    parts.log.reopen();
    parts.log.resume();
  }
}

const REMEDY = 'train on with that one, or start anew';

/** Names of the hyperparameters that are built with other values now than when a state was saved. */
function rebuiltIn(variables: ReadonlyMap<string, SharedVariable>, state: VersionedState): ReadonlySet<string> {
  const before = new Map(Object.entries(state['hyperparameters'] ?? {}));
  return new Set(
    Object.entries(hyperparametersIn(variables))
      .filter(([name, value]) => before.has(name) && !isDeepStrictEqual(before.get(name), value))
      .map(([name]) => name),
  );
}

/** What the hyperparameters among variables were built with. */
function hyperparametersIn(variables: ReadonlyMap<string, SharedVariable>): { readonly [name: string]: Json } {
  const values = [...variables].map(([name, variable]) => [name, firstValue(variable)] as const);
  return Object.fromEntries(
    values.flatMap(([name, value]) => (value === undefined ? [] : [[name, encodeLogValue(value)]])),
  );
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
