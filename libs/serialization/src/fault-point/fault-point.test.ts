import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { beforeAll, expect, onTestFinished, test } from 'vitest';

import { bundleChild } from '../../test/child.js';
import { faultPoint, readFired, withFault } from './fault-point.js';
import { faultText, parseFaults } from './fault.js';
import { FAULT_POINTS } from './points.js';

test('nothing is waited for where nothing is armed', () => {
  expect(faultPoint('commit.head-swapped')).toBeUndefined();
});

test('faults are read as they are written, and one that cannot be is said with what to do', () => {
  const text = 'commit.head-swapped=kill@2-5, lease.claimed=wait:/tmp/go,take.taken=throw:ENOSPC@3,ingest.read=stop';
  expect(parseFaults(text).map(faultText)).toEqual([
    'commit.head-swapped=kill@2-5',
    'lease.claimed=wait:/tmp/go@1',
    'take.taken=throw:ENOSPC@3',
    'ingest.read=stop@1',
  ]);
  expect(parseFaults('')).toEqual([]);
  expect(() => parseFaults('commit.head=kill')).toThrow(
    /"commit\.head=kill" names no fault point; give .*head-swapped/,
  );
  for (const wrong of ['', 'wait', 'kill:me', 'kill@0', 'kill@3-2', 'explode'])
    expect(() => parseFaults(`take.taken=${wrong}`)).toThrow(/is no fault; give an action of kill, stop, throw/);
});

test('every point says what is true there', () => {
  for (const sentence of Object.values(FAULT_POINTS)) expect(sentence).toMatch(/^[A-Z].*[^.]\.$/);
});

test('a test holds whoever comes to a point, and lets go or has it fail', async () => {
  const seen: string[] = [];
  const passThrice = async (): Promise<void> => {
    for (let passage = 1; passage <= 3; passage += 1) {
      await faultPoint('ingest.read');
      seen.push(`passed ${passage}`);
    }
  };
  await withFault(
    'ingest.read',
    async (fault) => {
      const passing = passThrice();
      await fault.fired;
      expect(seen).toEqual(['passed 1']);
      fault.goOn();
      await passing;
    },
    2,
  );
  await withFault('ingest.read', async (fault) => {
    const failing = passThrice();
    await fault.fired;
    fault.goOn(new Error('the disk is gone'));
    await expect(failing).rejects.toThrow('the disk is gone');
  });
  expect(faultPoint('ingest.read')).toBeUndefined();
});

test('a fault that never fires fails its test', async () => {
  const work = withFault('ingest.read', async () => await faultPoint('ingest.committed'));
  await expect(work).rejects.toThrow('The fault in ingest.read has not fired');
  const twice = withFault('ingest.read', async () => await faultPoint('ingest.read'), 2);
  await expect(twice).rejects.toThrow('nobody came 2 times there');
});

let bundle: string;

beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'fault-point-bundle-'));
  bundle = await bundleChild('pass-points', folder);
  return () => rm(folder, { recursive: true });
});

test('a process is killed where its environment says, and not again at its next start', async () => {
  const { record, run } = await place();
  const first = await run({ LONGRUN_FAULT_POINTS: 'ingest.read=kill@2', LONGRUN_FAULT_RECORD: record });
  expect(first).toMatchObject({ signal: 'SIGKILL', lines: ['passed 1'] });
  expect(first.errors).toContain('FAULTS ARE ARMED, this process will fail on purpose: ingest.read=kill@2');
  expect(first.errors).toContain('fault point: ingest.read=kill@2 fires in process');
  expect(readFired(record)).toMatchObject([{ fault: 'ingest.read=kill@2', point: 'ingest.read', passage: 2 }]);

  const second = await run({ LONGRUN_FAULT_POINTS: 'ingest.read=kill@2', LONGRUN_FAULT_RECORD: record });
  expect(second).toMatchObject({ code: 0, errors: '', lines: ['passed 1', 'passed 2', 'passed 3'] });
});

test('an error has the code that was asked for, at each passage that was', async () => {
  const { run } = await place();
  const { lines } = await run({ LONGRUN_FAULT_POINTS: 'ingest.read=throw:ENOSPC@1-2' });
  expect(lines).toEqual(['ENOSPC at 1', 'ENOSPC at 2', 'passed 3']);
});

test('a process waits for a file, and one that has stopped goes on', async () => {
  const { record, folder, start } = await place();
  const go = path.join(folder, 'go');
  const faults = `ingest.read=wait:${go}@1,ingest.read=stop@2`;
  const child = start({ LONGRUN_FAULT_POINTS: faults, LONGRUN_FAULT_RECORD: record });
  await expect.poll(() => readFired(record).length).toBe(1);
  expect(child.lines).toEqual([]);
  await writeFile(go, '');
  await expect.poll(() => readFired(record).length).toBe(2);
  // Said before, and on another way.
  await expect.poll(() => child.lines).toEqual(['passed 1']);
  child.signal('SIGCONT');
  expect(await child.end()).toMatchObject({ code: 0, lines: ['passed 1', 'passed 2', 'passed 3'] });
});

test('a process whose faults cannot be read does not start', async () => {
  const { run } = await place();
  const { code, errors } = await run({ LONGRUN_FAULT_POINTS: 'ingest.red=kill' });
  expect(code).toBe(1);
  expect(errors).toContain('LONGRUN_FAULT_POINTS: "ingest.red=kill" names no fault point');
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

async function place() {
  const folder = await mkdtemp(path.join(tmpdir(), 'fault-point-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const start = (environment: Readonly<Record<string, string>>) => {
    const child = spawn(process.execPath, [bundle], {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines: string[] = [];
    let errors = '';
    child.stdout.on('data', (bytes: Buffer) => lines.push(...bytes.toString().trim().split('\n')));
    child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
    const closed = once(child, 'close');
    const end = async (): Promise<Ended> => {
      await closed;
      return { code: child.exitCode, signal: child.signalCode, lines, errors };
    };
    return { lines, end, signal: (signal: NodeJS.Signals) => child.kill(signal) };
  };
  const run = async (environment: Readonly<Record<string, string>>): Promise<Ended> => await start(environment).end();
  return { folder, record: path.join(folder, 'fired.ndjson'), start, run };
}
