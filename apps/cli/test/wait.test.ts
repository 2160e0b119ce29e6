import type { ServerResponse } from 'node:http';

import type { ExperimentView } from '@longrun/contracts';
import { afterEach, expect, test } from 'vitest';

import { CommandLine, type Finished } from './command-line.js';
import { type HttpServer, serve } from './http-server.js';
import { dataset, experiment, summary } from './views.js';

const longrun = new CommandLine('/nowhere');
const OTHER = `exp_${'d'.repeat(32)}`;

let server: HttpServer | undefined;
afterEach(() => server?.close());

type Look = ExperimentView['status'] | 'ready' | 'away';

/** Runs a command against an API that shows these statuses at one look after the other, and the last one from then on. */
async function seeing(looks: Readonly<Record<string, readonly Look[]>>, ...words: string[]): Promise<Finished> {
  const asked = new Map<string, number>();
  server = await serve((request, response) => {
    const id = request.url?.split('/').at(-1) ?? '';
    if (id === 'experiments?limit=1') return answer(response, { items: [summary], nextCursor: null, counts: null });
    const seen = looks[id] ?? [];
    const status = seen[Math.min(asked.get(id) ?? 0, seen.length - 1)];
    asked.set(id, (asked.get(id) ?? 0) + 1);
    if (status === undefined || status === 'away') return request.socket.destroy();
    return answer(response, { ...(id === dataset.id ? dataset : experiment), id, status });
  });
  return longrun.runWith(at(server), ...words);
}

function at({ url }: HttpServer): Readonly<Record<string, string>> {
  return { LONGRUN_URL: url, LONGRUN_TOKEN: 'a-token-of-sixteen-or-more' };
}

function answer(response: ServerResponse, body: unknown): ServerResponse {
  return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

test.each([
  [['running', 'away', 'succeeded'], 0, /^longrun: lost the API at .*; trying again.*\n.*connected again\n$/],
  [['failed'], 3, /^$/],
  [['cancelled'], 4, /^$/],
] as const)('the end of a run that is seen as %j is waited for: exit code %i', async (looks, code, says) => {
  expect(await seeing({ [experiment.id]: looks }, 'wait', experiment.id)).toEqual({
    code,
    stdout: `${experiment.id}  slow  ${looks.at(-1)}\n`,
    stderr: expect.stringMatching(says),
  });
});

test('of several the first that has not ended well decides, and what goes on past the time-out is shown', async () => {
  const looks = { [experiment.id]: ['paused'], [OTHER]: ['failed'], [dataset.id]: ['ready'] } as const;
  const late = await seeing(looks, 'wait', dataset.id, experiment.id, OTHER, '--timeout', '1', '--json');
  expect(late).toMatchObject({ code: 5, stderr: expect.stringContaining('not all have ended within 1 s') });
  const shown = late.stdout.trim().split('\n');
  expect(shown.map((line: string) => /"status":"(\w+)"/.exec(line)?.[1])).toEqual(
    expect.arrayContaining(['failed', 'paused', 'ready']),
  );
  server?.close();
  expect(await seeing({ ...looks, [experiment.id]: ['cancelled'] }, 'wait', OTHER, experiment.id)).toMatchObject({
    code: 3,
  });
});

test('one that is unknown ends the wait for all', async () => {
  let giveUp: () => void;
  const isGivenUp = new Promise<void>((resolve) => (giveUp = resolve));
  server = await serve((request, response) => {
    if (request.url?.endsWith(experiment.id) === true) return request.socket.on('close', () => giveUp());
    const problem = { type: 'about:blank', title: 'Not Found', status: 404, detail: `There is no ${OTHER}.` };
    return response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
  });
  expect(await longrun.runWith(at(server), 'wait', experiment.id, OTHER)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no exp_ddd'),
  });
  await isGivenUp;
});

test('--latest stands for the newest experiment wherever an id does, and for nothing else', async () => {
  const looks = { [experiment.id]: ['succeeded'] } as const;
  for (const words of [
    ['wait', '--latest'],
    ['show', '--json', '--latest'],
  ]) {
    expect(await seeing(looks, ...words)).toMatchObject({ code: 0, stdout: expect.stringContaining(experiment.id) });
    server?.close();
  }
  expect(await seeing(looks, 'workers', 'drain', '--latest')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("'--latest' is invalid for argument 'id'. --latest is an experiment; give an id"),
  });
  for (const command of ['metrics', 'continue', 'fork'])
    expect((await longrun.run(command, '--help')).stdout.replaceAll(/\s+/g, ' ')).toContain('--latest: the newest');
});
