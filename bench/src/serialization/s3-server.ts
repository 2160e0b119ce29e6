import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { checkout } from '../report.js';

const SCRIPT = join(checkout, 'scripts/s3-server.mjs');

/** Why no S3 can be had here, in words that go on from what is not measured; undefined where one can. */
export function withoutS3(): string | undefined {
  const lacking = spawnSync(process.execPath, [SCRIPT, '--missing'], { encoding: 'utf8' }).stdout.trim();
  if (lacking === '') return undefined;
  return `as there is no ${lacking.replaceAll(' ', ', ')}: 'npm run setup' installs them where there is apt-get`;
}

/** Where a server is, and the keys to it. */
export type S3Access = z.infer<typeof accessSchema>;

/** Runs something with a radosgw of its own, whose objects are on the disk, in this folder. */
export async function withS3<T>(folder: string, work: (access: S3Access) => Promise<T>): Promise<T> {
  const server = spawn(process.execPath, [SCRIPT, '--folder', folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  try {
    const line = await Promise.race([
      once(createInterface(server.stdout), 'line').then(([text]) => String(text)),
      ended.then(([code]) => Promise.reject(new Error(`the S3 server has ended with ${String(code)}`))),
    ]);
    return await work(accessSchema.parse(JSON.parse(line)));
  } finally {
    server.stdin.end();
    await ended;
  }
}

const accessSchema = z.object({
  endpoint: z.string(),
  region: z.string(),
  bucket: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});
