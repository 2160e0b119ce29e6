import { fillRecord } from '@longrun/platform/testing';
import { z } from 'zod';
import { recordOf, type Servers } from './servers.js';
import { ServiceProcess } from './service-process.js';

const ROUNDS = 5;

/** Milliseconds that answers took, in each round: pages all the way down a list of so many experiments, and the first pages by each filter and sort. */
export interface Listed {
  readonly pages: number[][];
  readonly filtered: number[][];
}

export async function listing(servers: Servers, count: number): Promise<Listed> {
  await fillRecord(recordOf(servers), { ended: count - 50, queued: 50, running: 0 });
  const service = new ServiceProcess(servers);
  const ask = async (queries: readonly Record<string, string>[]): Promise<number[]> =>
    z.array(z.number()).parse(await service.tell({ do: 'list', queries: [...queries] }));
  const deep = Array.from({ length: 39 }, (_, index) => String(Math.round((count * (index + 1)) / 40)));
  const pages = [{}, ...deep.map((place) => ({ cursor: cursorAt(place) }))];
  const listed: Listed = { pages: [], filtered: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const took = await ask([...pages, ...filters]);
    if (round === 0) continue;
    listed.pages.push(took.slice(0, pages.length));
    listed.filtered.push(took.slice(pages.length));
  }
  await service.close();
  return listed;
}

/** What lets all of {@link fillRecord} through, much, little and nothing. */
const filters: readonly Record<string, string>[] = [
  { status: 'queued' },
  { status: 'succeeded' },
  { status: 'failed,cancelled' },
  { program: 'mlp' },
  { program: 'conv' },
  { dataset: 'dataset-05' },
  { owner: 'default' },
  { owner: 'nobody' },
  { name: '777' },
  { name: 'experiment' },
  { exactName: 'experiment 77777' },
  { id: `exp_${'0'.repeat(28)}` },
  { where: 'metric.cost<0.001' },
  { where: 'metric.cost<0.5' },
  { where: 'metric.cost>=0' },
  { where: 'metric.none>0' },
  { sort: 'ended' },
  { sort: '-name' },
  { sort: 'status' },
  { sort: 'metric.cost', metrics: 'cost' },
  { sort: '-metric.cost', where: 'metric.cost<0.3', status: 'succeeded', metrics: 'cost' },
];

/** The cursor of a page that goes on below a place, as one before would have answered it. */
function cursorAt(place: string): string {
  return Buffer.from(JSON.stringify(['-created', 0, place, place])).toString('base64url');
}
