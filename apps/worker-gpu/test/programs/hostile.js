import { execFile, spawn } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { defineExperiment, InvalidParams } from '@longrun/blocks';
import { z } from 'zod';

const run = promisify(execFile);

/** Does to its worker and its machine what it is told, tells how it went, and trains nothing. */
export default defineExperiment({
  name: 'hostile',
  params: z.strictObject({
    act: z.enum(['look', 'fork', 'escape', 'eat', 'tell', 'shout']),
    state: z.string().default(''),
  }),
  async build({ params, dataset }) {
    if (params.act === 'look') console.log(`looked: ${JSON.stringify(look(params.state, dataset.path))}`);
    if (params.act === 'fork') console.log(`forked: ${JSON.stringify(await fork())}`);
    if (params.act === 'escape') console.log(`escaped: ${JSON.stringify(await escape())}`);
    if (params.act === 'eat') await eat();
    if (params.act === 'shout') {
      // Across the place where a line that is too long is cut.
      console.error(`${'-'.repeat(8185)}${process.env.SECRET_OF_TEST}`);
      process.exit(3);
    }
    if (params.act === 'tell') {
      const { SECRET_OF_TEST: secret = '', PLAIN } = process.env;
      console.log(`told: ${JSON.stringify({ plain: PLAIN, length: secret.length, secret })}`);
      throw new InvalidParams('hostile', [{ path: ['act'], message: `it was told ${secret}` }]);
    }
    throw new InvalidParams('hostile', [{ path: ['act'], message: 'it is done' }]);
  },
});

function look(state, dataset) {
  const seen = (act) => {
    try {
      return act();
    } catch (error) {
      return error.code ?? String(error);
    }
  };
  return {
    user: process.getuid(),
    token: seen(() => readFileSync(`${state}/token`, 'utf8')),
    objects: seen(() => readdirSync(`${state}/../objects`).join(',')),
    dataset: seen(() => readFileSync(dataset).length > 0),
    damage: seen(() => appendFileSync(dataset, 'more')),
    cache: seen(() => appendFileSync(`${dirname(dataset)}/forged.hdf5`, 'forged')),
    parent: seen(() => readFileSync(`/proc/${process.ppid}/environ`, 'utf8')),
  };
}

/** Five that sleep, one of them in a session of its own. */
async function fork() {
  const sons = [true, false, false, false, false].map((detached) =>
    spawn('sleep', ['600'], { detached, stdio: 'inherit' }),
  );
  await Promise.all(sons.map((son) => new Promise((resolve) => son.once('spawn', resolve))));
  return sons.map(({ pid }) => pid);
}

/** Five that take off all by which they are known: father, group, session and environment. */
async function escape() {
  const flight = 'exec env -i setsid sh -c "sleep 600 > /dev/null 2>&1 & echo \\$!"';
  return await Promise.all(Array.from({ length: 5 }, async () => Number((await run('sh', ['-c', flight])).stdout)));
}

async function eat() {
  const kept = [];
  for (;;) {
    kept.push(Buffer.alloc(32 * 2 ** 20, 1));
    await sleep(20);
  }
}
