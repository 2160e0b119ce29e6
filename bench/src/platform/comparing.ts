import { fillLogs } from '@longrun/platform/testing';
import { z } from 'zod';
import { recordOf, type Servers } from './servers.js';
import { ServiceProcess } from './service-process.js';

const ROUNDS = 7;

/** Milliseconds that one metric of so many experiments took, 1,000 points of each, in each round. */
export async function comparing(servers: Servers, sizes: { experiments: number; steps: number }): Promise<number[]> {
  const ids = await fillLogs(recordOf(servers), sizes);
  const service = new ServiceProcess(servers);
  const took = await service.tell({ do: 'series', ids, name: 'loss', maxPoints: 1000, times: ROUNDS + 1 });
  await service.close();
  return z.array(z.number()).parse(took).slice(1);
}
