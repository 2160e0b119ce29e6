import { Configuration, type ConfigurationOptions, type Setting } from '@longrun/fuel';
import { homedir } from 'node:os';
import { join } from 'node:path';

const defaultSeed: Setting<number> = {
  key: 'default_seed',
  byDefault: 1,
  read: countOf,
  what: 'a whole number from 0',
};
const profile: Setting<boolean> = {
  key: 'profile',
  variable: 'BLOCKS_PROFILE',
  byDefault: false,
  read: (value) => (typeof value === 'boolean' ? value : FLAGS.get(String(value).toLowerCase())),
  what: 'true or false',
};
const logBackend: Setting<LogBackendName> = {
  key: 'log_backend',
  byDefault: 'python',
  read: (value) => LOG_BACKEND_NAMES.find((name) => name === value),
  what: 'python, a log in memory, or sqlite, one in a file',
};
const sqliteDatabase: Setting<string> = {
  key: 'sqlite_database',
  variable: 'BLOCKS_SQLITEDB',
  byDefault: join(homedir(), 'blocks_log.sqlite'),
  read: pathOf,
  what: 'a file',
};
const maxBlobSize: Setting<number> = {
  key: 'max_blob_size',
  byDefault: 4096,
  read: countOf,
  what: 'a number of bytes',
};
const tempDir: Setting<string | null> = {
  key: 'temp_dir',
  variable: 'BLOCKS_TEMPDIR',
  byDefault: null,
  read: (value) => (value === null ? null : pathOf(value)),
  what: 'a folder',
};

/** What the file of the original may have beside them, and nothing here goes by. */
const UNUSED = ['recursion_limit', 'bokeh_server'];

/** Names of logs: in memory, and in a SQLite file. */
export const LOG_BACKEND_NAMES = ['python', 'sqlite'] as const;

/** The name of a log: `python` is in memory, `sqlite` in a file. */
export type LogBackendName = (typeof LOG_BACKEND_NAMES)[number];

/**
 * What Blocks is told, with the keys, variables and precedence of the original, so that its `~/.blocksrc` is honoured (Blocks: `blocks.config`). For a desk and its
 * scripts: what an experiment depends on is in its spec, and no worker reads this.
 */
export class BlocksConfiguration extends Configuration {
  constructor(options: Partial<ConfigurationOptions> = {}) {
    super({ file: '.blocksrc', fileVariable: 'BLOCKS_CONFIG', ...options });
    for (const setting of [defaultSeed, profile, logBackend, sqliteDatabase, maxBlobSize, tempDir])
      this.addConfig<unknown>(setting);
    for (const key of UNUSED) this.addConfig({ key, read: (value) => value, what: 'anything' });
  }

  /** The seed of bricks that are initialized without random streams: in an experiment, its own. Default 1. */
  get defaultSeed(): number {
    return this.valueOf(defaultSeed);
  }

  set defaultSeed(seed: number) {
    this.set(defaultSeed, seed);
  }

  /** Whether a main loop says at its end where its time went. Default false. */
  get profile(): boolean {
    return this.valueOf(profile);
  }

  set profile(isWanted: boolean) {
    this.set(profile, isWanted);
  }

  /** The log of a main loop that is given none. Default `python`. */
  get logBackend(): LogBackendName {
    return this.valueOf(logBackend);
  }

  set logBackend(name: LogBackendName) {
    this.set(logBackend, name);
  }

  /** The file of the log `sqlite`. Default `~/blocks_log.sqlite`. */
  get sqliteDatabase(): string {
    return this.valueOf(sqliteDatabase);
  }

  set sqliteDatabase(file: string) {
    this.set(sqliteDatabase, file);
  }

  /** From how many bytes on that log warns of a record. Default 4096. */
  get maxBlobSize(): number {
    return this.valueOf(maxBlobSize);
  }

  set maxBlobSize(bytes: number) {
    this.set(maxBlobSize, bytes);
  }

  /** The folder in which snapshots are made, before they are put into their place; null: beside it. Default null. */
  get tempDir(): string | null {
    return this.valueOf(tempDir);
  }

  set tempDir(folder: string | null) {
    this.set(tempDir, folder);
  }
}

/** That of this process. */
export const config = new BlocksConfiguration();

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 'true', 'yes', 'on'].map((word) => [word, true] as const),
  ...['0', 'false', 'no', 'off'].map((word) => [word, false] as const),
]);

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** With the user's folder for `~`. */
function pathOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return value === '~' || value.startsWith('~/') ? join(homedir(), value.slice(1)) : value;
}
