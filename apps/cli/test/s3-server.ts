import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

const SCRIPT = fileURLToPath(new URL('../../../scripts/s3-server.mjs', import.meta.url));

/** What no S3 can be started here without, in words for a test's name; empty where one can. */
export const WITHOUT_S3 = spawnSync(process.execPath, [SCRIPT, '--missing'], { encoding: 'utf8' }).stdout.trim();

const accessSchema = z.object({
  endpoint: z.string(),
  region: z.string(),
  bucket: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});

/** A real S3 of this test's own, which ends with this process at the latest. */
export interface S3Server {
  readonly access: z.infer<typeof accessSchema>;
  stop(): Promise<void>;
}

/** Starts one. */
export async function startS3Server(): Promise<S3Server> {
  const server = spawn(process.execPath, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  const line = await Promise.race([
    once(createInterface(server.stdout), 'line').then(([text]) => String(text)),
    ended.then(([code]) => Promise.reject(new Error(`the S3 server has ended with ${String(code)}`))),
  ]);
  return {
    access: accessSchema.parse(JSON.parse(line)),
    async stop() {
      server.stdin.end();
      await ended;
    },
  };
}
