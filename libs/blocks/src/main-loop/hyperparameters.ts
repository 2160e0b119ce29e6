import { ndarray, StateMismatch, type Json } from '@longrun/serialization';
import type { SharedVariable } from '@longrun/tensor';

import type { LogRow } from '../log/log-value.js';
import { ALGORITHM_HYPERPARAMETER, hasRoles } from '../roles.js';

/** A change of hyperparameters that somebody asks for while training goes on. */
export interface HyperparameterSetting {
  /** 1, 2, 3, …: they are applied in this order, each once. */
  readonly number: number;
  /** New values by name: `adam.learning_rate`. */
  readonly values: Readonly<Record<string, number>>;
  /** How many batches are to be done when it is applied: those before which it was applied in a run that is repeated. Null: the next one. */
  readonly step: number | null;
}

/** A setting that was applied. */
export interface AppliedSetting {
  readonly number: number;
  /** How many batches were done. */
  readonly step: number;
}

/**
 * The hyperparameters of a main loop, which can be set while it trains: Blocks' `SharedVariableModifier`, from outside.
 *
 * Settings are applied between two batches, in order, and written to the row of the step before which they are: what is trained follows from the
 * state and from the steps at which settings are applied. What was applied is part of the state, so that training that goes on from a checkpoint
 * applies what comes after it at the same steps, once.
 */
export class Hyperparameters {
  readonly #variables: () => ReadonlyMap<string, SharedVariable>;
  readonly #pending = new Map<number, HyperparameterSetting>();
  #applied: readonly AppliedSetting[] = [];
  #onApplied: ((setting: AppliedSetting) => void) | undefined;

  /** @param variables by name; those of the role ALGORITHM_HYPERPARAMETER that are scalars count */
  constructor(variables: () => ReadonlyMap<string, SharedVariable>) {
    this.#variables = variables;
  }

  /** Those applied so far, in their order. */
  get applied(): readonly AppliedSetting[] {
    return this.#applied;
  }

  /** The present values by name. To be asked for at a step boundary or while not running. */
  async values(): Promise<Record<string, number>> {
    const values = [...this.#scalars()].map(async ([name, variable]) => {
      const { data } = await variable.getValue();
      return [name, Number(data[0])] as const;
    });
    return Object.fromEntries(await Promise.all(values));
  }

  /** Calls `listener` with each setting once it is applied. */
  onApplied(listener: (setting: AppliedSetting) => void): void {
    this.#onApplied = listener;
  }

  /**
   * Has settings applied when their time comes. Those that are known, by their number, are passed over.
   *
   * @throws RangeError for a name that is none of a hyperparameter, and a value that is not finite; none of them is taken then
   */
  set(settings: readonly HyperparameterSetting[]): void {
    const last = this.#applied.at(-1)?.number ?? 0;
    const fresh = settings.filter(({ number }) => number > last && !this.#pending.has(number));
    const scalars = this.#scalars();
    for (const { values } of fresh) for (const [name, value] of Object.entries(values)) check(scalars, name, value);
    for (const setting of fresh) this.#pending.set(setting.number, setting);
  }

  /** Applies what is due before the batch that follows `step` others. For the main loop. */
  applyDue(step: number, row: LogRow): void {
    if (this.#pending.size === 0) return;
    for (const setting of [...this.#pending.values()].toSorted((a, b) => a.number - b.number)) {
      // Those after it wait with it: the later one decides.
      if (setting.step !== null && setting.step > step) return;
      const scalars = this.#scalars();
      for (const [name, value] of Object.entries(setting.values)) {
        const variable = scalars.get(name);
        if (variable === undefined) continue;
        variable.setValue(scalar(variable, value));
        row[name] = value;
      }
      this.#pending.delete(setting.number);
      const applied = { number: setting.number, step };
      this.#applied = [...this.#applied, applied];
      this.#onApplied?.(applied);
    }
  }

  state(): Json {
    return this.#applied.map(({ number, step }) => ({ number, step }));
  }

  /** Takes what was applied from a state; what is pending and was is so no more. @throws StateMismatch when it is no such state */
  restore(state: unknown): void {
    if (!Array.isArray(state) || !state.every(isApplied)) {
      throw new StateMismatch(
        'MainLoop: the saved state has no list of settings; it is not one that a main loop wrote',
      );
    }
    this.#applied = state;
    const last = this.#applied.at(-1)?.number ?? 0;
    for (const number of this.#pending.keys()) if (number <= last) this.#pending.delete(number);
  }

  #scalars(): ReadonlyMap<string, SharedVariable> {
    return new Map(
      [...this.#variables()].filter(
        ([, variable]) => hasRoles(variable, [ALGORITHM_HYPERPARAMETER]) && variable.type.shape.length === 0,
      ),
    );
  }
}

function check(scalars: ReadonlyMap<string, SharedVariable>, name: string, value: number): void {
  if (!scalars.has(name)) {
    const known = scalars.size === 0 ? 'it has none' : `give one of ${[...scalars.keys()].join(', ')}`;
    throw new RangeError(`MainLoop: ${name} is no hyperparameter; ${known}`);
  }
  if (!Number.isFinite(value)) throw new RangeError(`MainLoop: ${name} cannot be ${value}; give a finite number`);
}

function scalar({ type: { dtype } }: SharedVariable, value: number) {
  return dtype === 'float32'
    ? ndarray('float32', [], Float32Array.of(value))
    : ndarray('float64', [], Float64Array.of(value));
}

function isApplied(value: unknown): value is AppliedSetting {
  return (
    typeof value === 'object' &&
    value !== null &&
    'number' in value &&
    Number.isSafeInteger(value.number) &&
    'step' in value &&
    Number.isSafeInteger(value.step)
  );
}
