import { z } from 'zod';
import { type ServiceOptions, Took } from './service-protocol.js';
import { ServiceProcess } from './service-process.js';

const CLIENTS = 50;
/** Submissions in one measurement; one more before all to warm up. */
const PER_ROUND = 500;
const ROUNDS = 5;

const Submitted = z.object({ latencies: z.array(z.number()), took: Took });

/** Submissions of as many clients at once, each with an idempotency key, while the scheduler does its work. */
export async function submission(options: ServiceOptions): Promise<z.infer<typeof Submitted>[]> {
  const service = new ServiceProcess(options);
  await service.tell({ do: 'dataset' });
  const all: z.infer<typeof Submitted>[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const submitted = Submitted.parse(await service.tell({ do: 'submit', count: PER_ROUND, clients: CLIENTS }));
    if (round > 0) all.push(submitted);
  }
  await service.close();
  return all;
}
