import { type ChildProcess, execFileSync, spawn, type SpawnOptions, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { Client } from 'pg';

import { freePort } from '../configuration/free-port.js';

/** Folder of PostgreSQL's programs, the newest version that is installed; undefined when there is none. */
export function postgresPrograms(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).map(Number).filter(Number.isInteger) : [];
  return versions
    .toSorted((a, b) => b - a)
    .map((version) => join(root, String(version), 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')));
}

/** A real PostgreSQL of a test's own, in a temporary folder. */
export class PostgresServer {
  readonly databaseUrl: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(databaseUrl: string, folder: string, child: ChildProcess) {
    this.databaseUrl = databaseUrl;
    this.#folder = folder;
    this.#process = child;
  }

  /** Makes a cluster on a free port of 127.0.0.1 and waits until it answers. `durable`: it waits for the disk, as in service. Default false. */
  static async start({ durable = false } = {}): Promise<PostgresServer> {
    const programs = postgresPrograms();
    if (programs === undefined) {
      throw new Error('PostgreSQL is not installed; run `apt-get install postgresql`');
    }
    const folder = await mkdtemp(join(tmpdir(), 'longrun-postgres-'));
    const identity = ordinaryUser();
    if (identity.uid !== undefined && identity.gid !== undefined) chownSync(folder, identity.uid, identity.gid);
    const data = join(folder, 'data');
    const options: SpawnOptions = { ...identity, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] };
    const made = spawnSync(
      join(programs, 'initdb'),
      ['-D', data, '-U', 'longrun', '-A', 'trust', '--no-sync', '-E', 'UTF8'],
      { ...options, encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
    const port = await freePort();
    const settings = [
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${folder}`,
      `fsync=${durable ? 'on' : 'off'}`,
    ];
    const child = spawn(
      join(programs, 'postgres'),
      ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
      { ...options, stdio: 'ignore' },
    );
    const server = new PostgresServer(`postgres://longrun@127.0.0.1:${port}/postgres`, folder, child);
    await server.#answer();
    return server;
  }

  /** A connection of the test's own, which ends it. */
  async connect(): Promise<Client> {
    const client = new Client({ connectionString: this.databaseUrl });
    await client.connect();
    return client;
  }

  /** Ends all connections, stops it, and removes its folder. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      // SIGQUIT is its immediate shutdown; SIGKILL would leave its children behind.
      this.#process.kill('SIGQUIT');
      await exited;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answer(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const client = new Client({ connectionString: this.databaseUrl });
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        if (attempt >= 100) throw error;
        await pause(100);
      }
    }
  }
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made. */
function ordinaryUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  return { uid: idOfPostgres('-u'), gid: idOfPostgres('-g') };
}

function idOfPostgres(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}
