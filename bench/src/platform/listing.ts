import { fillRecord } from '@longrun/platform/testing';
import { z } from 'zod';
import { recordOf, type Servers } from './servers.js';
import { ServiceProcess } from './service-process.js';

const ROUNDS = 5;

/** Milliseconds that pages of a list of so many experiments took, in each round: the newest, and others all the way down. */
export async function listing(servers: Servers, count: number): Promise<number[][]> {
  await fillRecord(recordOf(servers), { ended: count - 50, queued: 50, running: 0 });
  const service = new ServiceProcess(servers);
  const deep = Array.from({ length: 39 }, (_, index) => `p${Math.round((count * (index + 1)) / 40)}`);
  const all: number[][] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const took = z.array(z.number()).parse(await service.tell({ do: 'list', cursors: [null, ...deep] }));
    if (round > 0) all.push(took);
  }
  await service.close();
  return all;
}
