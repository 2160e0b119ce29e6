import { DatasetResult, ExperimentSpec } from '@longrun/contracts';
import { type Kysely, sql } from 'kysely';

import { openRecord, type RecordLocation } from '../record/record.js';
import type { Tables } from '../record/tables.js';

/** How many experiments stand where; datasets are few. */
export interface Crowd {
  readonly ended: number;
  readonly queued: number;
  readonly running: number;
}

/** Fills a record at a place with a {@link crowd}, and closes it. */
export async function fillRecord(location: RecordLocation, many: Crowd): Promise<void> {
  const record = await openRecord(location);
  try {
    await crowd(record.db, many);
  } finally {
    await record.close();
  }
}

/**
 * A crowd of experiments of twenty programs, of priorities from 0 to 4, each with an attempt unless it waits, on twenty datasets: the first one failed, the others
 * are ready. Each has one of the tags `group 0` to `group 19`, and of a thousand one `rare`. Ids are `exp_` and `ds_` with the number in hexadecimal digits.
 */
export async function crowd(db: Kysely<Tables>, { ended, queued, running }: Crowd): Promise<void> {
  const total = ended + queued + running;
  await db.transaction().execute(async (transaction) => {
    const spec = JSON.stringify(ExperimentSpec.parse({ program: 'mlp', params: {}, dataset: 'digits' }));
    const result = JSON.stringify(
      DatasetResult.parse({
        fileKey: 'datasets/files/0.hdf5',
        sha256: '0'.repeat(64),
        sizeBytes: 1,
        description: { sources: [], splits: { train: 1 }, attributes: {} },
      }),
    );
    await sql`insert into lives (id, kind, priority, retry, phase, reason, result, submitted_at)
      select 'ds_' || lpad(to_hex(n), 32, '0'), 'dataset', 0, '{}', 'ended',
        case n when 1 then 'dataset_corrupt' else 'succeeded' end, case n when 1 then null else ${result}::jsonb end, now()
      from generate_series(1, 20) n`.execute(transaction);
    await sql`insert into datasets (id, name, spec, current)
      select id, 'dataset-' || right(id, 2), '{"name": "digits", "converter": "mnist"}', reason = 'succeeded'
      from lives where kind = 'dataset'`.execute(transaction);
    await sql`insert into lives (id, kind, priority, retry, phase, reason, submitted_at, last_event)
      select 'exp_' || lpad(to_hex(n), 32, '0'), 'experiment', n % 5, '{"maxFailures": 0, "backoffMs": 1000, "maxPreemptions": null, "maxLosses": 3}',
        case when n <= ${ended}::integer then 'ended' when n <= ${ended + queued}::integer then 'queued' else 'running' end,
        case when n > ${ended}::integer then null when n % 10 = 0 then 'program_error' else 'succeeded' end, now(), 1
      from generate_series(1, ${total}::integer) n`.execute(transaction);
    await sql`insert into programs (name, sha256, size_bytes, description, params, libraries, published_at)
      select 'program-' || n, lpad(to_hex(n), 64, '0'), 1, '', '{}', '{}', now() from generate_series(1, 20) n`.execute(
      transaction,
    );
    await sql`insert into experiments (id, name, spec, program, program_sha256, place, owner, project, status, ended_at)
      select l.id, 'experiment ' || n, ${spec}::jsonb, 'mlp', lpad(to_hex(1 + n % 20), 64, '0'), l.place, l.owner, l.project,
        case when l.phase <> 'ended' then l.phase when l.reason = 'succeeded' then l.reason else 'failed' end, l.ended_at
      from generate_series(1, ${total}::integer) n join lives l on l.id = 'exp_' || lpad(to_hex(n), 32, '0')`.execute(
      transaction,
    );
    await sql`insert into experiment_datasets (id, role, dataset_id)
      select 'exp_' || lpad(to_hex(n), 32, '0'), 'train', 'ds_' || lpad(to_hex(2 + n % 19), 32, '0')
      from generate_series(1, ${total}::integer) n`.execute(transaction);
    await sql`insert into experiment_tags (tag, place)
      select 'group ' || place % 20, place from experiments union all select 'rare', place from experiments where place % 1000 = 0`.execute(
      transaction,
    );
    await sql`insert into attempts (id, fence, status, enqueued_at, reason)
      select id, 1, case phase when 'ended' then 'ended' else 'running' end, now(), reason
      from lives where kind = 'experiment' and phase <> 'queued'`.execute(transaction);
    await sql`update lives set fence = 1 where kind = 'experiment' and phase <> 'queued'`.execute(transaction);
    await sql`insert into events (id, event, type, at, data)
      select id, 1, 'status', now(), '{"status": "queued", "reason": null, "message": null, "result": null}'
      from lives where kind = 'experiment'`.execute(transaction);
    await sql`insert into checkpoints (id, fence, step, size_bytes, at)
      select id, 1, step, 1, now() from lives, generate_series(1, 2) step
      where kind = 'experiment' and phase = 'ended'`.execute(transaction);
    await sql`insert into hyperparameter_settings (id, number, hyperparameters, at, step)
      select id, number, '{"adam.learning_rate": 0.01}', now(), case phase when 'ended' then 1 end
      from lives, generate_series(1, 2) number where kind = 'experiment' and phase <> 'queued'`.execute(transaction);
    await sql`insert into log_chunks
        (id, chunk, fence, first_step, last_step, row_count, size_bytes, steps, events, times)
      select id, 1, 1, 1, 1, 1, 1, '{1}', '{1}', '{1}' from lives where kind = 'experiment' and phase = 'ended'`.execute(
      transaction,
    );
    // From 0 up to 1, each as often.
    await sql`insert into log_columns (id, chunk, name, numbers)
      select id, 1, 'cost', array[(place % 1000) / 1000.0] from lives where kind = 'experiment' and phase = 'ended'`.execute(
      transaction,
    );
    await sql`insert into metrics (id, name, count, non_finite, last, last_step, min, min_step, max, max_step)
      select id, name, 1, 0, numbers[1], 1, numbers[1], 1, numbers[1], 1 from log_columns`.execute(transaction);
  });
  await sql`vacuum analyze`.execute(db);
}
