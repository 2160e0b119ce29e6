import { execFile } from 'node:child_process';
import { chmod, lchown, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { environmentWithoutSecrets } from '../configuration/hidden-environment.js';
import { ConfigurationError } from '../configuration/read-variables.js';
import { OwnUser } from '../processes/own-user.js';
import { GONE_WITHIN_MS } from '../processes/process-tree.js';
import { noteUndying, undyingProcesses } from '../processes/undying.js';
import { ControlGroups } from './control-groups.js';
import { knownNumbers, unusedUser } from './unused-user.js';
import { type ChildUser, foldersAbove, mountCommands, quoted } from './view.js';

/** Who children are to run as: one of their own where that can be had, the worker itself, or one that is named. */
export type ChildUserSetting = 'auto' | 'worker' | ChildUser;

export interface IsolationOptions {
  readonly user: ChildUserSetting;
  /** Folder of scratch and caches, absolute. */
  readonly stateFolder: string;
  /** What every child reads, absolute: code, raw files. They are there. */
  readonly code: readonly string[];
  /** Ways that may be tried, the strongest first. Default: all of them. */
  readonly ways?: readonly IsolationWay[];
}

/** What one child gets to see beside the code. */
export interface ChildRoom {
  /** Its own folder, below the state folder: where it works, its home and its temporary files. Made if absent. */
  readonly folder: string;
  /** Files and folders of the worker that it reads. */
  readonly shared?: readonly string[];
}

/** How a child's process is started: options of `fork`. */
export interface Launch {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  /** Where the kernel limits its memory, if it does. */
  readonly controlGroups?: ControlGroups;
  /** Who it runs as, where nobody else is that. */
  readonly ownUser?: OwnUser;
}

/** `view`: another user, who sees of closed folders only what it needs. `privileges`: another user. `ids`: the same, without no_new_privs. */
export type IsolationWay = (typeof WAYS)[number];

const WAYS = ['view', 'privileges', 'ids'] as const;

/**
 * What keeps children from their worker and from each other: a user of their own who owns nothing but its folder. Found out once, when
 * the worker starts, by trying; what cannot be had is said.
 */
export class Isolation {
  /** Null: children are the worker's own user, and trusted as it is. */
  readonly user: ChildUser | null;
  /** What was found of users, for people. */
  readonly sentence: string;
  readonly #way: IsolationWay | undefined;
  readonly #ownUser: OwnUser | undefined;
  readonly #controlGroups = ControlGroups.find();
  readonly #options: IsolationOptions;

  private constructor(options: IsolationOptions, sentence: string, found?: Found) {
    this.#options = options;
    this.sentence = sentence;
    this.user = found?.user ?? null;
    this.#way = found?.way;
    if (found?.isOwn === true) this.#ownUser = OwnUser.of(found.user.uid);
  }

  /** Finds the strongest way that works here. Throws ConfigurationError where a user is named that cannot be had. */
  static async find(options: IsolationOptions): Promise<Isolation> {
    if (options.user === 'worker') return new Isolation(options, `${TRUSTED}, as LONGRUN_TRAINER_USER says`);
    if (process.geteuid?.() !== 0) {
      if (options.user === 'auto') return new Isolation(options, `${TRUSTED}: only root can give them another one`);
      throw new ConfigurationError(
        `LONGRUN_TRAINER_USER: ${options.user.uid} cannot be had by a worker that is not root; start it as root, or leave the variable away`,
      );
    }
    const { isOwn, ...user } =
      options.user === 'auto'
        ? unusedUser(process.pid, await knownNumbers())
        : // Whoever named it may be it, or have named it to another worker.
          { ...options.user, isOwn: false };
    const failures: string[] = [];
    for (const way of options.ways ?? WAYS) {
      const isolation = new Isolation(options, sentenceOf({ way, user, isOwn }, options.user, failures), {
        way,
        user,
        isOwn,
      });
      const failure = await isolation.#try();
      if (failure === undefined) return isolation;
      failures.push(failure);
    }
    const why = failures.at(-1) ?? '';
    if (options.user !== 'auto')
      throw new ConfigurationError(
        `LONGRUN_TRAINER_USER: children cannot run as user ${user.uid}: ${why}; ${REMEDY}, or leave the variable away`,
      );
    return new Isolation(options, `${TRUSTED}: user ${user.uid} does not work: ${why}; ${REMEDY}`);
  }

  /** How the memory of children is limited, for people. */
  get memorySentence(): string {
    return typeof this.#controlGroups === 'string'
      ? `the memory of children is watched (${this.#controlGroups})`
      : 'the kernel limits the memory of children, by control groups';
  }

  /** Makes a child's folder ready and says how to start it. Throws what {@link endEscaped} throws. */
  async prepare(room: ChildRoom): Promise<Launch> {
    await this.endEscaped();
    return {
      ...(await this.#prepare(room)),
      ...(typeof this.#controlGroups !== 'string' && { controlGroups: this.#controlGroups }),
      ...(this.#ownUser !== undefined && { ownUser: this.#ownUser }),
    };
  }

  /**
   * Ends who has escaped from a child, also from one of a worker before this one. @throws Error while somebody cannot be ended, be it a
   * child or one who has escaped
   */
  async endEscaped(): Promise<void> {
    // Who is known not to end is not waited for again.
    let left = await undyingProcesses();
    if (left.length === 0) left = (await this.#ownUser?.endStrangers(GONE_WITHIN_MS)) ?? [];
    if (left.length === 0) return;
    noteUndying(left);
    const pids = new Set(left.map(({ pid }) => pid));
    throw new Error(
      `What earlier children have run does not end with SIGKILL (process ${[...pids].join(', ')}), and no child is started beside it; ` +
        'see what device or disk it waits for, and reset that, or the machine',
    );
  }

  /** Lets children read what was put into a shared folder since they were started. */
  async share(path: string): Promise<void> {
    if (this.user !== null) await letRead(path);
  }

  async #prepare(room: ChildRoom): Promise<Omit<Launch, 'controlGroups' | 'ownUser'>> {
    const { folder, shared = [] } = room;
    const temporary = join(folder, 'tmp');
    for (const own of [folder, temporary]) await mkdir(own, { recursive: true, mode: 0o700 });
    if (this.user === null)
      return { execPath: process.execPath, execArgv: [], cwd: folder, env: { TMPDIR: temporary } };
    await give(folder, this.user);
    for (const path of shared) await letRead(path);
    const env = { TMPDIR: temporary, HOME: folder };
    if (this.#way === 'ids') {
      await this.#openWay(room);
      return { execPath: process.execPath, execArgv: [], cwd: folder, env, ...this.user };
    }
    const asUser = [
      'setpriv',
      `--reuid=${this.user.uid}`,
      `--regid=${this.user.gid}`,
      '--clear-groups',
      '--no-new-privs',
      '--inh-caps=-all',
      '--',
    ];
    if (this.#way === 'privileges') {
      await this.#openWay(room);
      return { execPath: asUser[0] ?? '', execArgv: [...asUser.slice(1), process.execPath], cwd: folder, env };
    }
    const commands = await mountCommands(
      this.user,
      { readable: [...this.#options.code, process.execPath, ...shared], writable: [folder] },
      await stagingFolder(),
    );
    // What leads to what it sees is open to it; what it makes is its own.
    const script = [
      'umask 022',
      ...commands,
      'umask 077',
      `cd ${quoted(folder)}`,
      `exec ${asUser.join(' ')} "$@"`,
    ].join('\n');
    return {
      execPath: 'unshare',
      execArgv: ['--mount', '--propagation', 'private', 'sh', '-ec', script, 'sh', process.execPath],
      cwd: '/',
      env,
    };
  }

  /** Where nothing can be mounted, exactly the folders on the way to what a child needs let it through. */
  async #openWay({ folder, shared = [] }: ChildRoom): Promise<void> {
    const { stateFolder } = this.#options;
    const { gid = 0 } = this.user ?? {};
    const onWay = new Set(
      [folder, ...shared]
        .filter((path) => !relative(stateFolder, path).startsWith('..'))
        .flatMap((path) => foldersAbove(path).filter((above) => !relative(stateFolder, above).startsWith('..'))),
    );
    const ownWay = new Set(foldersAbove(folder));
    for (const above of onWay) {
      const mode = (await lstat(above)).mode & 0o777;
      if (above === stateFolder || !ownWay.has(above)) {
        await chmod(above, mode | 0o001);
      } else {
        await lchown(above, process.geteuid?.() ?? 0, gid);
        await chmod(above, (mode & 0o700) | 0o010);
      }
    }
  }

  /** Resolves with what does not work; with nothing when a child sees the code, owns its folder and is who it should be. */
  async #try(): Promise<string | undefined> {
    await mkdir(this.#options.stateFolder, { recursive: true, mode: 0o700 });
    const folder = await mkdtemp(join(this.#options.stateFolder, 'try-'));
    try {
      const { execPath, execArgv, cwd, env, ...ids } = await this.#prepare({ folder });
      const looks = JSON.stringify({ code: this.#options.code, folder, uid: this.user?.uid });
      await run(execPath, [...execArgv, '-e', TRIAL, looks], {
        cwd,
        env: { ...environmentWithoutSecrets(process.env), ...env },
        timeout: TRIAL_WITHIN_MS,
        ...ids,
      });
      return undefined;
    } catch (error) {
      return reasonIn(error);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

interface Found {
  readonly way: IsolationWay;
  readonly user: ChildUser;
  /** Nobody but the children of this process is that user. */
  readonly isOwn: boolean;
}

const run = promisify(execFile);

const TRUSTED = "children run as this worker's own user, and programs are trusted as it is";

const REMEDY =
  'put the checkout and Node where everybody may read them, or start the worker with the right to mount (CAP_SYS_ADMIN)';

/** A machine that swaps can take long to start a process; one that hangs is not to keep a worker from starting. */
const TRIAL_WITHIN_MS = 60_000;

const TRIAL = `
  const fs = require('node:fs');
  const { code, folder, uid } = JSON.parse(process.argv[1]);
  if (process.geteuid() !== uid || process.getuid() !== uid) throw new Error('the user is ' + process.geteuid());
  for (const path of code) {
    fs.accessSync(path, fs.constants.R_OK);
    if (fs.statSync(path).isDirectory()) fs.readdirSync(path);
  }
  fs.writeFileSync(folder + '/trial', '');
`;

function sentenceOf(
  { way, user: { uid }, isOwn }: Found,
  asked: ChildUserSetting,
  failures: readonly string[],
): string {
  const who = `children run as user ${uid}, who owns nothing but its folder`;
  const why = failures.at(-1) ?? 'it was not tried';
  const sentences: Readonly<Record<IsolationWay, string>> = {
    view: `${who} and sees of closed folders only what it needs`,
    privileges: `${who}; closed folders are not hidden from it, since nothing can be mounted (${why})`,
    ids: `${who}; it might gain privileges by setuid programs, since setpriv does not serve (${why})`,
  };
  // Where somebody has named it, he knows.
  return isOwn || asked !== 'auto'
    ? sentences[way]
    : `${sentences[way]}; children of other workers here may be the same user`;
}

function reasonIn(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const said = text.split('\n').find((line) => /\w+: /.test(line) && !line.startsWith(' '));
  return (said ?? (error instanceof Error ? error.message : String(error))).trim();
}

/** Where mounts are put together; each child has its own there, as it is covered in its namespace alone. */
async function stagingFolder(): Promise<string> {
  const folder = join(tmpdir(), 'longrun-view');
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === process.geteuid?.()) return folder;
  throw new Error(`${folder} is not a folder of this worker's user; remove it`);
}

/** Gives a folder to the user, with all that is in it, but for files that have another name elsewhere. */
async function give(path: string, user: ChildUser): Promise<void> {
  const found = await lstat(path);
  if (!found.isDirectory() && found.nlink > 1) return;
  await lchown(path, user.uid, user.gid);
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) await give(join(path, name), user);
}

/**
 * Lets everybody who gets there read it. What is readable already is left alone: to set the same mode again would change what the file
 * system says of it. Throws where there is no such path; what others have removed below it meanwhile is passed over.
 */
async function letRead(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return;
  const isFolder = found.isDirectory();
  const needed = isFolder ? 0o555 : 0o444;
  if ((found.mode & needed) !== needed) await chmod(path, (found.mode & 0o777) | needed);
  if (!isFolder) return;
  for (const name of await readdir(path))
    await letRead(join(path, name)).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    });
}
