// `node scripts/s3-server.mjs [--folder FOLDER] [--port PORT]`: a real S3 on 127.0.0.1, Ceph's radosgw with one monitor, manager and disk,
// from Debian's packages (radosgw ceph-mon ceph-mgr ceph-osd ceph-common). Prints one line of JSON when it serves: its endpoint, a bucket,
// the keys to it, and its URL for `longrun up --s3 URL`; with --missing what it cannot start without, and ends. Ends, with all that it started, when its standard input does or on SIGTERM or SIGINT. Without a folder its objects are in
// memory and gone with it.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const PROGRAMS = [
  'ceph',
  'ceph-authtool',
  'ceph-mon',
  'ceph-mgr',
  'ceph-osd',
  'monmaptool',
  'radosgw',
  'radosgw-admin',
];
const BUCKET = 'longrun';
const REGION = 'us-east-1';
const SETPRIV = '/usr/bin/setpriv';
const LONGEST_START_MS = 300_000;

/** Of Debian, that have them. */
export const S3_PACKAGES = ['radosgw', 'ceph-mon', 'ceph-mgr', 'ceph-osd', 'ceph-common'];

/** The programs that a server needs and this machine has not. */
export function missingPrograms() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return PROGRAMS.filter((program) => !folders.some((folder) => existsSync(join(folder, program))));
}

/** The environment of a program that uses a server: its keys, and no other source of any. */
export function environmentFor({ accessKeyId, secretAccessKey }, environment = process.env) {
  const others = Object.entries(environment).filter(([name]) => !name.startsWith('AWS_'));
  return {
    ...Object.fromEntries(others),
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}

/** Where a store can be in a server, as `--s3` takes it. */
export function storeUrl({ endpoint, region, bucket }, prefix) {
  return `s3://${bucket}/${prefix}?endpoint=${endpoint}&region=${region}`;
}

/** Starts a server. Ends all that it has started, and throws, where one of its parts ends or none of them serves in time. */
export async function startS3Server({ folder, port } = {}) {
  const missing = missingPrograms();
  if (missing.length > 0) {
    throw new Error(
      `no S3 server can be started here without ${missing.join(', ')}: run 'apt-get install --no-install-recommends ` +
        `${S3_PACKAGES.join(' ')}'`,
    );
  }
  const isKept = folder !== undefined;
  const server = new S3Server(isKept ? resolve(folder) : mkdtempSync(join(tmpdir(), 'longrun-s3-')), isKept);
  try {
    await server.start(port);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

class S3Server {
  #folder;
  #isKept;
  #daemons = [];
  #environment;

  constructor(folder, isKept) {
    this.#folder = folder;
    this.#isKept = isKept;
    this.#environment = {
      ...process.env,
      CEPH_CONF: this.#path('ceph.conf'),
      CEPH_ARGS: `-c ${this.#path('ceph.conf')}`,
    };
  }

  /** Where it is, and the keys to it. */
  get access() {
    return JSON.parse(readFileSync(this.#path('access.json'), 'utf8'));
  }

  async start(wantedPort) {
    const isNew = !existsSync(this.#path('access.json'));
    for (const part of ['mon', 'mgr/x', 'osd/0', 'rgw', 'log', 'run']) mkdirSync(this.#path(part), { recursive: true });
    const [monitorPort, port] = await freePorts(2);
    const settings = isNew
      ? { id: randomUUID(), monitorPort }
      : JSON.parse(readFileSync(this.#path('settings.json'), 'utf8'));
    writeFileSync(this.#path('settings.json'), JSON.stringify(settings));
    const endpoint = `http://127.0.0.1:${wantedPort ?? port}`;
    writeFileSync(this.#path('ceph.conf'), this.#configuration(settings, wantedPort ?? port));
    if (isNew) this.#makeMonitor(settings);
    this.#launch('ceph-mon', '-i', 'a');
    await this.#until('monitor', () => this.#asks(['ceph', '-s', '--connect-timeout', '5']) !== undefined);
    this.#launch('ceph-mgr', '-i', 'x');
    if (isNew) {
      const disk = randomUUID();
      this.#must('ceph', 'osd', 'new', disk);
      this.#must('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', disk);
    }
    this.#launch('ceph-osd', '-i', '0');
    await this.#until('disk', () => this.#asks(['ceph', 'osd', 'stat'])?.includes('1 up'));
    this.#launch('radosgw', '-n', 'client.rgw');
    await this.#until('gateway', async () => (await fetch(endpoint).catch(() => undefined)) !== undefined);
    const access = isNew ? this.#makeUser() : this.access;
    if (isNew) await makeBucket(endpoint, access);
    writeFileSync(this.#path('access.json'), JSON.stringify({ ...access, endpoint, region: REGION, bucket: BUCKET }), {
      mode: 0o600,
    });
  }

  /** Ends what it has started. */
  async stop() {
    for (const { child } of this.#daemons.toReversed()) child.kill('SIGKILL');
    await Promise.all(this.#daemons.map(({ ended }) => ended));
    if (!this.#isKept) rmSync(this.#folder, { recursive: true, force: true });
  }

  #path(name) {
    return join(this.#folder, name);
  }

  #makeMonitor({ id, monitorPort }) {
    const keyring = this.#path('keyring');
    const key = (name, ...capabilities) => {
      const create = existsSync(keyring) ? [] : ['--create-keyring'];
      const caps = capabilities.flatMap((capability) => ['--cap', ...capability.split('=')]);
      this.#must('ceph-authtool', ...create, keyring, '--gen-key', '-n', name, ...caps);
    };
    key('mon.', 'mon=allow *');
    key('client.admin', 'mon=allow *', 'osd=allow *', 'mgr=allow *');
    key('mgr.x', 'mon=allow profile mgr', 'osd=allow *', 'mgr=allow *');
    key('osd.0', 'mon=allow profile osd', 'osd=allow *', 'mgr=allow *');
    key('client.rgw', 'mon=allow rw', 'osd=allow rwx', 'mgr=allow rw');
    const map = this.#path('monmap');
    this.#must(
      'monmaptool',
      '--create',
      '--clobber',
      '--fsid',
      id,
      '--addv',
      'a',
      `[v2:127.0.0.1:${monitorPort}]`,
      map,
    );
    this.#must('ceph-mon', '--mkfs', '-i', 'a', '--monmap', map, '--keyring', keyring);
  }

  #makeUser() {
    const accessKeyId = randomBytes(10).toString('hex');
    const secretAccessKey = randomBytes(20).toString('hex');
    const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
    this.#must('radosgw-admin', 'user', 'create', '--uid=longrun', '--display-name=longrun', ...keys);
    return { accessKeyId, secretAccessKey };
  }

  #configuration({ id, monitorPort }, port) {
    return `[global]
fsid = ${id}
mon host = [v2:127.0.0.1:${monitorPort}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
run dir = ${this.#path('run')}
admin socket =
pid file = ${this.#path('run')}/$name.pid
log file = ${this.#path('log')}/$name.log
keyring = ${this.#path('keyring')}
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
auth allow insecure global id reclaim = false
mon warn on pool no redundancy = false
mon data avail warn = 2
mon data avail crit = 1
mon max pg per osd = 1000
mgr initial modules =
[mon]
mon data = ${this.#path('mon')}
mon allow pool delete = true
paxos propose interval = 0.05
paxos min wait = 0.01
[mgr]
mgr data = ${this.#path('mgr')}/$id
[osd]
osd data = ${this.#path('osd')}/$id
osd objectstore = ${this.#isKept ? 'bluestore' : 'memstore'}
osd memory target = 939524096
bluestore block size = 10737418240
bluestore block db create = false
bluestore block wal create = false
memstore device bytes = 1073741824
[client.rgw]
rgw data = ${this.#path('rgw')}
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw enable usage log = false
rgw enable ops log = false
rgw thread pool size = 64
`;
  }

  #launch(program, ...args) {
    const output = openSync(this.#path(`log/${program}.out`), 'a');
    // What this process leaves when it is killed itself ends with it; what reaches its process group, as Ctrl+C does, is for it to decide on.
    const [command, ...before] = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--', program] : [program];
    const child = spawn(command, [...before, ...args, '-f'], {
      env: this.#environment,
      stdio: ['ignore', output, output],
      detached: true,
    });
    const ended = new Promise((resolveEnd) => {
      child.once('exit', resolveEnd);
      child.once('error', resolveEnd);
    });
    this.#daemons.push({ program, child, ended });
  }

  #must(program, ...args) {
    const { status, stdout, stderr, error } = this.#run(program, args);
    if (status !== 0)
      throw new Error(`S3 server: '${program} ${args[0]}' failed: ${error?.message ?? ''}${stdout}${stderr}`);
  }

  #asks([program, ...args]) {
    const { status, stdout } = this.#run(program, args);
    return status === 0 ? stdout : undefined;
  }

  #run(program, args) {
    return spawnSync(program, args, {
      env: this.#environment,
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
  }

  async #until(part, isUp) {
    const startedAt = performance.now();
    while (!(await isUp())) {
      const gone = this.#daemons.find(({ child }) => child.exitCode !== null || child.signalCode !== null);
      if (gone !== undefined) throw new Error(`S3 server: ${gone.program} has ended:\n${this.#said(gone.program)}`);
      if (performance.now() - startedAt > LONGEST_START_MS) throw new Error(`S3 server: its ${part} does not come up`);
      await sleep(200);
    }
  }

  #said(program) {
    return readFileSync(this.#path(`log/${program}.out`), 'utf8').slice(-2_000);
  }
}

async function makeBucket(endpoint, credentials) {
  const { CreateBucketCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({ endpoint, region: REGION, credentials, forcePathStyle: true, maxAttempts: 5 });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) => new Promise((resolvePort) => server.listen(0, '127.0.0.1', () => resolvePort(server.address().port))),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolveClose) => server.close(resolveClose))));
  return ports;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { folder: { type: 'string' }, port: { type: 'string' }, missing: { type: 'boolean' } },
  });
  if (values.missing) {
    console.log(missingPrograms().join(' '));
    process.exit(0);
  }
  const over = new Promise((resolveOver) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, resolveOver);
    process.stdin.once('end', resolveOver).once('error', resolveOver).resume();
  });
  const server = await startS3Server({ folder: values.folder, port: values.port });
  console.log(JSON.stringify({ ...server.access, url: storeUrl(server.access, 'longrun') }));
  await over;
  await server.stop();
  process.exit(0);
}
