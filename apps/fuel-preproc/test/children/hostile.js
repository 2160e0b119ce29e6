import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParentLink } from '@longrun/platform/child';

/** A converter that a file has taken over: does to its worker and its machine what the converter of its name would. */
const parent = new ParentLink((assignment) => void acts[assignment.converter](assignment));

const identity = { converter: 'hostile', converterVersion: 1, inputs: [] };
const description = { sources: [], splits: {}, attributes: {} };

const acts = {
  /** Says that it ended for a reason of the worker's. */
  async reason() {
    await parent.leave({ type: 'failed', reason: 'preempted', message: 'it was not me' }, 0);
  },
  /** Hands over a file of somebody else's. */
  async link({ rawFolder, outputPath }) {
    symlinkSync(join(rawFolder, 'victim', 'keep'), outputPath);
    await parent.leave({ type: 'converted', identity, description }, 0);
  },
  /** Has more to say of what it made than anybody wants to read. */
  async large({ outputPath }) {
    writeFileSync(outputPath, 'made');
    await parent.leave(
      { type: 'converted', identity, description: { ...description, attributes: { x: 'x'.repeat(1e6) } } },
      0,
    );
  },
  /** Says no end of things, and what nobody can take. */
  async flood() {
    const splits = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`split ${index}`, -1]));
    parent.send({ type: 'converted', identity, description: { ...description, splits } });
    const line = `${'flood '.repeat(200)}\n`;
    await new Promise((resolve) => process.stdout.write(line.repeat(8_000), resolve));
    await parent.leave({ type: 'flooded' }, 0);
  },
  async eat() {
    const kept = [];
    for (;;) {
      kept.push(Buffer.alloc(32 * 2 ** 20, 1));
      await sleep(20);
    }
  },
  /** Starts two that sleep, one of them in a session of its own. */
  async fork() {
    const sons = [true, false].map((detached) => spawn('sleep', ['600'], { detached, stdio: 'inherit' }));
    await Promise.all(sons.map((son) => new Promise((resolve) => son.once('spawn', resolve))));
    await tell(sons.map(({ pid }) => pid));
  },
  async look({ rawFolder, outputPath }) {
    const seen = (act) => {
      try {
        return act() ?? 'done';
      } catch (error) {
        return error.code ?? String(error);
      }
    };
    const victim = join(rawFolder, 'victim', 'keep');
    await tell({
      user: process.getuid(),
      raw: seen(() => readFileSync(victim, 'utf8')),
      damage: seen(() => appendFileSync(victim, 'more')),
      add: seen(() => writeFileSync(join(rawFolder, 'forged'), 'forged')),
      scratch: seen(() => writeFileSync(join(dirname(outputPath), '..', 'forged'), 'forged')),
      own: seen(() => writeFileSync(outputPath, 'mine')),
    });
  },
};

async function tell(what) {
  await parent.leave({ type: 'failed', reason: 'invalid_params', message: `told: ${JSON.stringify(what)}` }, 0);
}
