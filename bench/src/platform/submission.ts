import { z } from 'zod';
import { type ServiceOptions, Took } from './service-protocol.js';
import { ServiceProcess } from './service-process.js';

const clients = 50;
/** Submissions in one measurement; one more before all to warm up. */
const perRound = 500;
const rounds = 5;

const Submitted = z.object({ latencies: z.array(z.number()), took: Took });

/** Submissions of as many clients at once, each with an idempotency key, while the scheduler does its work. */
export async function submission(options: ServiceOptions): Promise<z.infer<typeof Submitted>[]> {
  const service = new ServiceProcess(options);
  await service.tell({ do: 'dataset' });
  const all: z.infer<typeof Submitted>[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const submitted = Submitted.parse(await service.tell({ do: 'submit', count: perRound, clients }));
    if (round > 0) all.push(submitted);
  }
  await service.close();
  return all;
}
