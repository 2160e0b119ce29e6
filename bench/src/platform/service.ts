import { assertNever, DatasetSpec, ExperimentQuery, ExperimentSpec } from '@longrun/contracts';
import { type Platform, startPlatform } from '@longrun/platform';
import { anyProgram, publishModule } from '@longrun/platform/testing';
import { ServiceCommand, ServiceOptions, type Took } from './service-protocol.js';

const options = ServiceOptions.parse(JSON.parse(process.argv[2] ?? ''));
let platform: Platform | undefined;

process.on('message', (message) => {
  const command = ServiceCommand.parse(message);
  if (command.do === 'close') {
    void close();
    return;
  }
  obey(command).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
  );
});

/** The process ends by itself: nothing holds it any more. */
async function close(): Promise<void> {
  await platform?.close();
  process.disconnect();
}

async function obey(command: Exclude<ServiceCommand, { do: 'close' }>): Promise<unknown> {
  platform ??= await start();
  const { experiments, datasets, metrics } = platform;
  switch (command.do) {
    case 'dataset': {
      const { dataset } = await datasets.submit(DatasetSpec.parse({ name: 'digits', converter: 'mnist' }));
      await when(async () => (await datasets.get(dataset.id)).attempts.length > 0);
      return dataset.id;
    }
    case 'submit':
      return Promise.all(
        Array.from({ length: command.count }, async () => (await experiments.submit(specification)).experiment.id),
      );
    case 'enqueued':
      for (const id of command.ids) await when(async () => (await experiments.get(id)).attempts.length > 0);
      return null;
    case 'ingest':
      return ingest(platform, command);
    case 'list':
      return tookEach(command.queries, (query) => experiments.list(ExperimentQuery.parse(query)));
    case 'series': {
      const { ids, name, maxPoints, times } = command;
      return tookEach(Array.from({ length: times }), () => metrics.seriesOf(ids, name, maxPoints));
    }
    default:
      return assertNever(command, 'command');
  }
}

async function start(): Promise<Platform> {
  const started = await startPlatform({ ...options, programHost: anyProgram });
  await publishModule(started, 'mlp', 'export default undefined;');
  return started;
}

/** Milliseconds from the question to its answer as JSON. */
async function tookEach<T>(questions: readonly T[], ask: (question: T) => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  for (const question of questions) {
    const before = performance.now();
    JSON.stringify(await ask(question));
    took.push(performance.now() - before);
  }
  return took;
}

async function ingest(service: Platform, work: { skip: number; size: number; windows: number }): Promise<Took[]> {
  const took: Took[] = [];
  await when(() => service.eventCounts.taken >= work.skip);
  let before = clock();
  let taken = service.eventCounts.taken;
  while (took.length < work.windows) {
    const target = taken + work.size;
    await when(() => service.eventCounts.taken >= target);
    const now = service.eventCounts.taken;
    took.push(since(before, now - taken));
    before = clock();
    taken = now;
  }
  return took;
}

interface Clock {
  readonly cpu: NodeJS.CpuUsage;
  readonly wall: number;
}

function clock(): Clock {
  return { cpu: process.cpuUsage(), wall: performance.now() };
}

function since(before: Clock, count: number): Took {
  const { user, system } = process.cpuUsage(before.cpu);
  return { count, cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - before.wall) / 1000 };
}

async function when(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const specification = ExperimentSpec.parse({ program: 'mlp', params: {}, dataset: 'digits' });
