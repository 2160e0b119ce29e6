import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** A whole local stack, as `longrun up` starts it, on a state folder of its own. */
export class RunningApi {
  readonly url: string;
  readonly token: string;
  readonly state: string;
  readonly #up: ChildProcess;

  private constructor(url: string, token: string, state: string, up: ChildProcess) {
    this.url = url;
    this.token = token;
    this.state = state;
    this.#up = up;
  }

  static async start(): Promise<RunningApi> {
    const state = await mkdtemp(join(tmpdir(), 'longrun-dashboard-'));
    const bin = fileURLToPath(new URL('../../cli/bin/longrun.js', import.meta.url));
    const up = spawn(process.execPath, [bin, '--state', state, 'up', '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: up.stdout })) {
      const told: unknown = JSON.parse(line);
      if (typeof told !== 'object' || told === null || !('url' in told)) continue;
      up.stdout.resume();
      return new RunningApi(String(told.url), (await readFile(join(state, 'token'), 'utf8')).trim(), state, up);
    }
    throw new Error('longrun up ended before the API could be used; see above');
  }

  /** The number of the API's process. */
  async pid(): Promise<number> {
    return Number(JSON.parse(await readFile(join(this.state, 'api.json'), 'utf8')).pid);
  }

  /** Puts a thing into the API and gives the answer. */
  async post(path: string, body?: object): Promise<Readonly<Record<string, unknown>>> {
    const answer = await fetch(new URL(path, this.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return JSON.parse(text);
  }

  /** Raw files of a dataset called `tiny`: 640 and 100 images of 8 by 8 pixels, one bright row each, its number the label. */
  async writeRawFiles(): Promise<void> {
    const folder = join(this.state, 'raw', 'tiny');
    await mkdir(folder, { recursive: true });
    for (const [prefix, examples] of [
      ['train', 640],
      ['t10k', 100],
    ] as const) {
      const labels = Buffer.from(Array.from({ length: examples }, (_, example) => example % 8));
      const pixels = Buffer.concat([...labels].map((label) => Buffer.alloc(64).fill(255, label * 8, label * 8 + 8)));
      await writeFile(join(folder, `${prefix}-images-idx3-ubyte.gz`), gzipSync(idx([examples, 8, 8], pixels)));
      await writeFile(join(folder, `${prefix}-labels-idx1-ubyte.gz`), gzipSync(idx([examples], labels)));
    }
  }

  async stop(): Promise<void> {
    const closed = once(this.#up, 'close');
    this.#up.kill('SIGTERM');
    await closed;
    await rm(this.state, { recursive: true, force: true });
  }
}

function idx(shape: readonly number[], bytes: Buffer): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt8(0x08, 2);
  head.writeUInt8(shape.length, 3);
  shape.forEach((length, axis) => head.writeUInt32BE(length, 4 + 4 * axis));
  return Buffer.concat([head, bytes]);
}
