import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CHILD_CHANNEL } from '../testing/child-channel.js';
import { StallGuard } from './stall-guard.js';
import { SupervisedChild } from './supervised-child.js';

const library = new URL('../../dist/child/index.js', import.meta.url).href;
const PARENT_LINK = `import { ParentLink } from ${JSON.stringify(library)}; const parent = new ParentLink(() => {});`;

let folder: string;
let child: SupervisedChild | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-stall-'));
});

afterEach(async () => {
  await child?.kill();
  await rm(folder, { recursive: true });
});

test.each([
  {
    what: 'is stopped from outside and never goes on',
    source: `${PARENT_LINK} parent.moved(); parent.send({}); setInterval(() => {}, 1000);`,
    isStopped: true,
    found: /: T \(stopped\)/,
  },
  {
    what: 'closes the line of its watchdog, and loops',
    source: `import { closeSync } from 'node:fs'; ${PARENT_LINK}
             closeSync(4); parent.send({}); await parent.settled(); for (;;);`,
    isStopped: false,
    found: /: R \(running\)/,
  },
  {
    what: 'hangs before it has a watchdog',
    source: `${CHILD_CHANNEL} send({}, () => { for (;;); });`,
    isStopped: false,
    found: /: R \(running\)/,
  },
])('a child that $what is ended: no sign of life is no progress either', async ({ source, isStopped, found }) => {
  const script = join(folder, 'child.mjs');
  await writeFile(script, source);
  const lines: string[] = [];
  const guard = new StallGuard({
    name: 'child',
    // Beats that were on their way when it fell silent are heard, and are far from so many.
    firstStepMs: 5_000,
    suspendedMs: 5_000,
    // Nobody is there to answer.
    answerWithinMs: 100,
    // It moves until it has said that it is where it should be.
    isHeld: () => !isThere,
    say: (line) => lines.push(line),
  });
  let isThere = false;
  child = new SupervisedChild({
    script,
    onLine: () => {},
    onBeat: (beat) => guard.beat(beat),
    onMessage: () => {
      if (child?.pid === undefined) throw new Error('the child was not started');
      if (isStopped) process.kill(child.pid, 'SIGSTOP');
      isThere = true;
    },
  });
  guard.guard(child);

  expect(await child.exited).toMatchObject({ signal: 'SIGKILL', killedByUs: true });
  expect(guard.stalled).toMatch(/^The child has shown no progress for \S+ s, for \S+ s of them no sign of life either/);
  expect(lines[0]).toBe(guard.stalled);
  expect(lines.join('\n')).toMatch(found);
});
