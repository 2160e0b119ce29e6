import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { brotliDecompressSync } from 'node:zlib';

import { ExperimentView, LiveEvent } from '@longrun/contracts';
import { expect, test } from 'vitest';
import { z } from 'zod';

import { CommandLine } from './command-line.js';

const states = new URL('states/', import.meta.url);
const builds = (await readdir(states)).filter((name) => name.endsWith('.tar.br'));

/** What `make.mjs` noted beside the state. */
const Expected = z.object({
  whole: z.object({ id: z.string(), parametersSha256: z.string() }),
  stopped: z.array(z.object({ id: z.string(), lastStep: z.number() })),
  half: z.object({ id: z.string(), spec: z.record(z.string(), z.unknown()), stepAtLeast: z.number() }),
});
type Expected = z.infer<typeof Expected>;

interface Undisturbed {
  spec: Expected['half']['spec'];
  result: ExperimentView['result'];
  rows: Row[];
}
const twins: Undisturbed[] = [];

interface Row {
  step: number;
  row: unknown;
}

test.each(builds)(
  'a state folder of %s is gone on from: what had ended is there, what was half done ends as if undisturbed',
  async (build) => {
    const folder = await unpack(build);
    const state = join(folder, 'state');
    const { whole, stopped, half } = Expected.parse(JSON.parse(await readFile(join(state, 'expected.json'), 'utf8')));
    const longrun = new CommandLine(state);
    const stack = await longrun.up();
    try {
      const ended = await show(longrun, whole.id);
      expect(ended).toMatchObject({ status: 'succeeded', result: { parametersSha256: whole.parametersSha256 } });
      expect(ended.attempts).toMatchObject([{ fence: 1, reason: 'succeeded' }]);
      expect((await rowsOf(longrun, whole.id)).map(({ step }) => step)).toEqual(upTo(100));

      for (const { id, lastStep } of stopped) {
        expect(await show(longrun, id)).toMatchObject({ status: 'cancelled' });
        expect((await rowsOf(longrun, id)).map(({ step }) => step)).toEqual(upTo(lastStep));
      }

      expect(await longrun.run('logs', '-f', half.id)).toMatchObject({ code: 0 });
      const continued = await show(longrun, half.id);
      expect(continued.attempts.length).toBeGreaterThan(1);
      expect(continued.attempts.at(-1)?.startStep).toBeGreaterThanOrEqual(half.stepAtLeast);

      const undisturbed = await twinOf(half.spec, longrun, folder);
      expect(continued.result).toEqual(undisturbed.result);
      const rows = await rowsOf(longrun, half.id);
      expect(rows.map(({ step }) => step)).toEqual(upTo(3000));
      expect(rows).toEqual(undisturbed.rows);
    } finally {
      await stack.end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    }
  },
);

/** What an experiment of this spec ends with when nothing happens to it. States that were made alike share it. */
async function twinOf(spec: Expected['half']['spec'], longrun: CommandLine, folder: string): Promise<Undisturbed> {
  const known = twins.find((twin) => isDeepStrictEqual(twin.spec, spec));
  if (known !== undefined) return known;
  const file = join(folder, 'twin.json');
  await writeFile(file, JSON.stringify({ ...spec, name: 'twin' }));
  expect(await longrun.run('submit', file, '--follow', '--json')).toMatchObject({ code: 0 });
  const { id, result } = await show(longrun, 'twin');
  const twin = { spec, result, rows: await rowsOf(longrun, id) };
  twins.push(twin);
  return twin;
}

async function unpack(build: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'longrun-old-'));
  const tar = join(folder, 'state.tar');
  await writeFile(tar, brotliDecompressSync(await readFile(new URL(build, states))));
  await promisify(execFile)('tar', ['-xf', tar, '-C', folder]);
  await rm(tar);
  return folder;
}

async function show(longrun: CommandLine, id: string): Promise<ExperimentView> {
  return ExperimentView.parse(JSON.parse((await longrun.run('show', id, '--json')).stdout));
}

/** The rows of the log as a follower that comes late is sent them, by step: one sent again after a resume replaces the first. */
async function rowsOf(longrun: CommandLine, id: string): Promise<Row[]> {
  const { stdout } = await longrun.run('logs', id, '--json');
  const rows = new Map<number, unknown>();
  for (const line of stdout.trim().split('\n')) {
    const event = LiveEvent.parse(JSON.parse(line));
    if (event.type === 'log_row') rows.set(event.data.step, event.data.row);
  }
  return [...rows].map(([step, row]) => ({ step, row })).toSorted((a, b) => a.step - b.step);
}

function upTo(last: number): number[] {
  return Array.from({ length: last + 1 }, (_, step) => step);
}
