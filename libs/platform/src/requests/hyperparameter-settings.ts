import {
  type ExperimentSpec,
  type ExperimentView,
  type FaultOf,
  type Hyperparameters,
  type JsonObject,
  likestFirst,
  MAX_SETTINGS,
} from '@longrun/contracts';
import type { Redis } from 'ioredis';
import type { Kysely } from 'kysely';

import { experimentStatus } from '../life/transitions.js';
import type { LifeWriter } from '../life/writer.js';
import type { PlatformRecord } from '../record/record.js';
import type { Tables } from '../record/tables.js';
import type { RedisKeys } from '../redis/keys.js';
import { pendingSettings } from '../record/hyperparameter-settings.js';
import { publishCommand } from '../worker/commands.js';
import type { Experiments } from './experiments.js';
import { checkGoesOn } from './goes-on.js';
import { absent, findLife } from './life-reading.js';
import type { ProgramHost } from './program-host.js';
import type { Programs } from './programs.js';
import { refused } from './request-refused.js';

type SpecFault = FaultOf<'invalid-request'>;

export interface HyperparameterSettingsOptions {
  readonly record: PlatformRecord;
  readonly writer: LifeWriter;
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly programs: Programs;
  readonly host: ProgramHost;
  readonly experiments: Experiments;
}

/** Hyperparameters that users set while experiments train. */
export class HyperparameterSettings {
  readonly #options: HyperparameterSettingsOptions;

  constructor(options: HyperparameterSettingsOptions) {
    this.#options = options;
  }

  /**
   * Has hyperparameters set before the next batch that is trained, once: whoever trains that batch again, after a loss or to reproduce it, sets
   * them there again. The worker of one that runs is told until it says at which step they were. Refused when it has ended, comes to its
   * end, or has not trained yet; names that none has or several have; values that its program refuses of the parameter of that name.
   */
  async set(id: string, asked: Hyperparameters): Promise<ExperimentView> {
    const { record, writer, experiments } = this.#options;
    const experiment = await record.db
      .selectFrom('experiments')
      .select(['program', 'programSha256', 'spec'])
      .where('id', '=', id)
      .executeTakeFirst();
    if (experiment === undefined) throw await absent(record.db, 'experiment', id);
    const known = await knownHyperparameters(record.db, id);
    const values = known === null ? {} : namedIn(known, asked);
    // Before the transaction: a program may take its time.
    const faults = await this.#refusedByProgram(experiment, asked);
    const fence = await writer.write(async (lives) => {
      const life = await findLife(lives, 'experiment', id);
      checkGoesOn(life);
      const { phase, reason } = life.row;
      if (known === null) {
        const facts = { experiment: id, status: experimentStatus(phase, reason) };
        throw refused('conflict', [{ path: [], parameter: 'id', code: 'hyperparameters-unknown', facts }]);
      }
      if (faults.length > 0) throw refused('invalid-request', faults);
      const last = await lives.transaction
        .selectFrom('hyperparameterSettings')
        .select((select) => select.fn.max('number').as('number'))
        .where('id', '=', id)
        .executeTakeFirst();
      const number = (last?.number ?? 0) + 1;
      if (number > MAX_SETTINGS) {
        const facts = { experiment: id, limit: MAX_SETTINGS };
        throw refused('conflict', [{ path: [], parameter: 'id', code: 'too-many-settings', facts }]);
      }
      await lives.transaction
        .insertInto('hyperparameterSettings')
        .values({ id, number, hyperparameters: JSON.stringify(values), at: new Date(), step: null })
        .execute();
      life.requestSet(number, values);
      return phase === 'running' ? life.row.fence : null;
    });
    if (fence !== null) await this.#tell(id, fence);
    return experiments.get(id);
  }

  /** Without Redis the reconciler says it later. */
  async #tell(id: string, fence: number): Promise<void> {
    const { record, redis, keys } = this.#options;
    const settings = (await pendingSettings(record.db, [id])).get(id);
    if (settings === undefined || redis.status !== 'ready') return;
    await publishCommand(redis, keys, { type: 'set', kind: 'experiment', id, fence, settings });
  }

  /** What the program says to values whose names are those of its parameters too, as a learning rate's is. */
  async #refusedByProgram(
    { program, programSha256, spec }: { program: string; programSha256: string | null; spec: ExperimentSpec },
    asked: Hyperparameters,
  ): Promise<SpecFault[]> {
    const { programs, host } = this.#options;
    const nameOf = new Map<string, string>();
    const params: Record<string, JsonObject[string]> = { ...spec.params };
    for (const [name, value] of Object.entries(asked)) {
      const param = Object.keys(params).find((key) => alike(key) === alike(lastPart(name)));
      if (param === undefined || typeof params[param] !== 'number') continue;
      nameOf.set(param, name);
      params[param] = value;
    }
    if (nameOf.size === 0 || programSha256 === null) return [];
    const resolved = await programs.resolve(`${program}@${programSha256}`);
    if (!resolved.ok) return [];
    const verdict = await host.validate(programs.moduleOf(resolved.program), params);
    if (verdict.ok) return [];
    return verdict.faults.flatMap((fault) => {
      const name = nameOf.get(String(fault.path[0]));
      return name === undefined ? [] : [{ ...fault, path: ['hyperparameters', name] }];
    });
  }
}

/** What can be set of an experiment, as its newest attempt that trained has said; null where none has. */
async function knownHyperparameters(db: Kysely<Tables>, id: string): Promise<readonly string[] | null> {
  const attempt = await db
    .selectFrom('attempts')
    .select('hyperparameters')
    .where('id', '=', id)
    .where('hyperparameters', 'is not', null)
    .orderBy('fence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return attempt?.hyperparameters == null ? null : Object.keys(attempt.hyperparameters);
}

/** The values by the full names of what is known. */
function namedIn(known: readonly string[], asked: Hyperparameters): Hyperparameters {
  const values: Record<string, number> = {};
  const faults: SpecFault[] = [];
  for (const [name, value] of Object.entries(asked)) {
    const path = ['hyperparameters', name];
    const meant = known.includes(name) ? [name] : known.filter((full) => alike(lastPart(full)) === alike(name));
    const [full] = meant;
    if (full === undefined) {
      const near = likestFirst(name, known, 5);
      const facts = { what: 'hyperparameter', name, near, others: known.length - near.length } as const;
      faults.push({ path, code: 'name-unknown', facts });
    } else if (meant.length > 1) {
      faults.push({ path, code: 'hyperparameter-ambiguous', facts: { name, candidates: meant } });
    } else values[full] = value;
  }
  if (faults.length > 0) throw refused('invalid-request', faults);
  return values;
}

/** Of `adam.learning_rate`, `learning_rate`. */
function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** `learning_rate` and `learningRate` are the same name. */
function alike(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}
