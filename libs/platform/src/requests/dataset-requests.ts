import { DatasetSpec, type DatasetView, type RetryBudget } from '@longrun/contracts';
import type { ExpressionBuilder, Transaction } from 'kysely';

import { begin, newId } from '../life/begin.js';
import type { Lives } from '../life/lives.js';
import { datasetResult } from '../life/outcome.js';
import { datasetStatus } from '../life/transitions.js';
import { audit, USER } from '../record/audit.js';
import { sha256OfJson } from '../record/hash.js';
import type { DatasetRow, LifeRow, Tables } from '../record/tables.js';
import { type KnownConverter, withParamsIfRead } from './known-converter.js';
import { absent } from './life-reading.js';
import { refused, type RequestRefused } from './request-refused.js';
import type { Made } from './submissions.js';
import { datasetSummary } from './views.js';

/** What somebody asks for: a dataset of a spec, or a new one in the place of one that is ready, which has this id or name. */
export type DatasetRequest = { readonly spec: DatasetSpec } | { readonly rebuild: string };

/** What follows from a request for a dataset. */
export type DatasetAction =
  /** The dataset that is there is what was asked for. */
  | { readonly action: 'answer'; readonly id: string }
  /** A new one takes the name of a predecessor, and is converted unless it would be made of the same. */
  | { readonly action: 'compare'; readonly spec: DatasetSpec; readonly predecessor: string }
  /** A new one is converted; it takes the name of a predecessor where there is one. */
  | { readonly action: 'convert'; readonly spec: DatasetSpec; readonly predecessor: string | null };

/**
 * What follows from a request for a dataset of a spec, or its refusal where the name means another dataset. One that is ready may have been made of
 * other raw files than are there now, which workers alone can see.
 */
export async function submissionOf(
  transaction: Transaction<Tables>,
  spec: DatasetSpec,
  converters: readonly KnownConverter[] | undefined,
): Promise<DatasetAction | RequestRefused> {
  const { name } = spec;
  const existing = await currentOf(transaction, name);
  if (existing === undefined) return { action: 'convert', spec, predecessor: null };
  const { id } = existing;
  // What has got a default since it was submitted has it there, too.
  if (sha256OfJson(withParamsIfRead(DatasetSpec.parse(existing.spec), converters)) !== sha256OfJson(spec))
    return refused('conflict', [{ path: ['name'], code: 'name-taken', facts: { name, by: id } }]);
  const converter = converters?.find((one) => one.name === spec.converter);
  if (existing.phase !== 'ended' || isPinned(existing, spec, converter)) return { action: 'answer', id };
  return { action: 'compare', spec, predecessor: id };
}

/** Whether what a dataset was made of is what it would be made of now. */
function isPinned({ result }: ExistingDataset, spec: DatasetSpec, converter: KnownConverter | undefined): boolean {
  if (!('download' in spec.source) || converter?.pinsDownloads(spec.params) !== true) return false;
  const made = datasetResult(result);
  // Earlier builds noted no identity, but the version there.
  const version = made?.identity?.converterVersion ?? made?.description.attributes['converterVersion'];
  return version === converter.version;
}

/** What follows from a request to convert a dataset anew, or its refusal. */
async function rebuildingOf(
  transaction: Transaction<Tables>,
  idOrName: string,
): Promise<DatasetAction | RequestRefused> {
  const asked = await transaction
    .selectFrom('datasets')
    .innerJoin('lives', 'lives.id', 'datasets.id')
    .select(['datasets.id', 'datasets.name', 'lives.result'])
    .where(isCalled(idOrName))
    .where('lives.deletedAt', 'is', null)
    .executeTakeFirst();
  if (asked === undefined) return await absent(transaction, 'dataset', idOrName);
  const { name } = asked;
  const id = datasetResult(asked.result)?.sameAs ?? asked.id;
  const existing = await currentOf(transaction, name);
  const place = { path: [], parameter: 'id' } as const;
  if (existing?.id !== id) {
    const facts = { dataset: id, name, by: existing?.id ?? null };
    return refused('conflict', [{ ...place, code: 'not-current', facts }]);
  }
  const { phase, reason, spec } = existing;
  if (phase === 'ended') return { action: 'convert', spec, predecessor: id };
  const facts = { dataset: id, status: datasetStatus(phase, reason) };
  return refused('conflict', [{ ...place, code: 'still-converted', facts }]);
}

/** The dataset of an id, or the one that a name means. */
export function isCalled(idOrName: string) {
  return (where: ExpressionBuilder<Tables, 'datasets'>) =>
    where.or([
      where('datasets.id', '=', idOrName),
      where.and([where('datasets.name', '=', idOrName), where('datasets.current', '=', true)]),
    ]);
}

interface ExistingDataset extends Pick<LifeRow, 'phase' | 'reason' | 'result'> {
  readonly id: string;
  readonly spec: DatasetSpec;
}

async function currentOf(transaction: Transaction<Tables>, name: string): Promise<ExistingDataset | undefined> {
  return await transaction
    .selectFrom('datasets')
    .innerJoin('lives', 'lives.id', 'datasets.id')
    .select(['datasets.id', 'datasets.spec', 'lives.phase', 'lives.reason', 'lives.result'])
    .where('datasets.name', '=', name)
    .where('datasets.current', '=', true)
    .executeTakeFirst();
}

/** How datasets are made. */
export interface MakingOptions {
  /** Undefined where they are not known. */
  readonly converters: readonly KnownConverter[] | undefined;
  readonly retry: RetryBudget;
}

/** Makes the dataset that is asked for, or finds the one that an equal request has made. */
export async function findOrMake(
  lives: Lives,
  request: DatasetRequest,
  { converters, retry }: MakingOptions,
): Promise<Made<DatasetView> | RequestRefused> {
  const { transaction } = lives;
  for (;;) {
    const next =
      'spec' in request
        ? await submissionOf(transaction, request.spec, converters)
        : await rebuildingOf(transaction, request.rebuild);
    if (next instanceof Error) return next;
    if (next.action === 'answer') return { id: next.id, view: undefined };
    const { spec, predecessor } = next;
    if (predecessor === null || (await isHeld(lives, predecessor, spec.name)))
      return await make(lives, spec, { predecessor, forced: 'rebuild' in request }, retry);
  }
}

/** Keeps others from deleting the dataset of a name, and from taking its name, while the transaction lasts; false where somebody was faster. */
async function isHeld(lives: Lives, id: string, name: string): Promise<boolean> {
  await lives.find(id);
  return (await currentOf(lives.transaction, name))?.id === id;
}

async function make(
  lives: Lives,
  spec: DatasetSpec,
  { predecessor, forced }: Pick<DatasetRow, 'predecessor' | 'forced'>,
  retry: RetryBudget,
): Promise<Made<DatasetView>> {
  const { transaction } = lives;
  const { name } = spec;
  const id = newId('dataset');
  const row = await begin(lives, { id, kind: 'dataset', name, spec, priority: 0, retry, origin: null });
  if (predecessor !== null)
    await transaction.updateTable('datasets').set({ current: false }).where('id', '=', predecessor).execute();
  await transaction
    .insertInto('datasets')
    .values({ id, name, spec: JSON.stringify(spec), predecessor, forced })
    .execute();
  if (forced && predecessor !== null)
    await audit(transaction, {
      actor: USER,
      action: 'rebuild',
      subject: predecessor,
      before: { current: true },
      after: { current: false, successor: id },
    });
  const summary = datasetSummary(row, { name, spec, current: true, predecessor, sameContent: null });
  return { id, view: { ...summary, attempts: [] } };
}
