import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { z } from 'zod';

import { s3Location, type S3Location } from '../src/store/s3/s3-location.js';

const SCRIPT = path.join(import.meta.dirname, '../../../scripts/s3-server.mjs');

/** Why no S3 can be had here, in words for a test's name; undefined where one can. */
export const WITHOUT_S3 = withoutS3();

function withoutS3(): string | undefined {
  if (process.env.S3_ENDPOINT !== undefined) return undefined;
  const missing = spawnSync(process.execPath, [SCRIPT, '--missing'], { encoding: 'utf8' }).stdout.trim();
  if (missing === '') return undefined;
  return `did not run, as S3_ENDPOINT is not set and there is no ${missing.replaceAll(' ', ', ')}`;
}

/**
 * A real S3: that at S3_ENDPOINT, with S3_BUCKET and the credentials of the environment, or a radosgw that is started. It takes longer to start
 * than most that is tried with it: there is one for all test files of a process, and it ends when that is gone.
 */
export class S3Server {
  readonly access: Access;

  private constructor(access: Access) {
    this.access = access;
  }

  /** That of this process. */
  static async ofProcess(): Promise<S3Server> {
    started ??= S3Server.#start();
    return await started;
  }

  static async #start(): Promise<S3Server> {
    const { S3_ENDPOINT, S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = process.env;
    if (S3_ENDPOINT !== undefined) {
      return new S3Server(
        accessSchema.parse({
          endpoint: S3_ENDPOINT,
          bucket: S3_BUCKET,
          region: AWS_REGION ?? 'us-east-1',
          accessKeyId: AWS_ACCESS_KEY_ID,
          secretAccessKey: AWS_SECRET_ACCESS_KEY,
        }),
      );
    }
    // It ends with its standard input, which this process has until its end.
    const server = spawn(process.execPath, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
    const line = await Promise.race([
      once(createInterface(server.stdout), 'line').then(([text]) => String(text)),
      once(server, 'exit').then(([code]) => Promise.reject(new Error(`the S3 server has ended with ${String(code)}`))),
    ]);
    return new S3Server(accessSchema.parse(JSON.parse(line)));
  }

  /** A place of its own for a store, with nothing in it. */
  emptyPlace(endpoint = this.access.endpoint): S3Location {
    const { bucket, region, accessKeyId, secretAccessKey } = this.access;
    const credentials = { accessKeyId, secretAccessKey };
    return s3Location(`s3://${bucket}/test/${randomUUID()}`, { endpoint, region, credentials, pathStyle: true });
  }
}

let started: Promise<S3Server> | undefined;

const accessSchema = z.object({
  endpoint: z.string(),
  region: z.string(),
  bucket: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});

type Access = z.infer<typeof accessSchema>;
