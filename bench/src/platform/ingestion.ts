import { z } from 'zod';
import { conversion, rowsFrom, started } from './attempt-events.js';
import { EventSource } from './event-source.js';
import type { Servers } from './servers.js';
import { Took } from './service-protocol.js';
import { ServiceProcess } from './service-process.js';

/** How many experiments log at once. */
const EXPERIMENTS = 20;
/** Log rows in one measurement; one more before all to warm up. */
const ROWS_PER_WINDOW = 20_000;
const WINDOWS = 6;

/**
 * Log rows that a platform takes in from a stream that is full of them: rows of five records, of twenty experiments in turn. The stream is filled
 * while the platform is down, so that filling is not measured.
 */
export async function ingestion(servers: Servers): Promise<Took[]> {
  const source = new EventSource(servers.redisUrl);
  let service = new ServiceProcess(servers);
  const datasetId = z.string().parse(await service.tell({ do: 'dataset' }));
  await source.send('dataset', datasetId, conversion());
  const ids = z.array(z.string()).parse(await service.tell({ do: 'submit', count: EXPERIMENTS }));
  await service.tell({ do: 'enqueued', ids });
  await service.close();

  for (const id of ids) await source.send('experiment', id, [started]);
  const total = ROWS_PER_WINDOW * (WINDOWS + 1);
  for (let step = 1; step <= total / EXPERIMENTS; step += 100) {
    for (const id of ids) await source.send('experiment', id, rowsFrom(step, step + 100));
  }
  service = new ServiceProcess(servers);
  const took = await service.tell({ do: 'ingest', skip: ROWS_PER_WINDOW, size: ROWS_PER_WINDOW, windows: WINDOWS - 1 });
  await service.close();
  source.close();
  return z.array(Took).parse(took);
}
