import { randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { countRow, machine, type Report, type Row } from '../report.js';
import { withS3, withoutS3 } from '../serialization/s3-server.js';
import { withScratchFolder } from '../scratch-folder.js';
import { bundleWorker } from './bundle.js';
import type { Hit, LifeFacts } from './life.js';
import { soak, type SoakOptions } from './soak.js';

const KILLS = 1_000;
/** Of all kills, where there is an S3. */
const PART_ON_S3 = 0.1;

/**
 * Processes that go through a stream and commit what they do are killed again and again, at random moments and at fault points, and some
 * are stopped until another has their lease. All of them together must have done what an undisturbed one does.
 *
 * @param kills how many: fewer for a look
 * @param seed of what is done to whom. Default: another one each time, which is said
 */
export async function kills(count = KILLS, seed = randomInt(2 ** 31)): Promise<Report> {
  for (const [name, value] of Object.entries({ kills: count, seed }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`${name} is ${value}; give a whole number of at least 1: npm run bench -- kills 1000 7`);
  console.log(`the same strikes again: npm run bench -- kills ${count} ${seed}`);
  const lacking = withoutS3();
  const onS3 = lacking === undefined ? Math.floor(count * PART_ON_S3) : 0;
  const program = await bundleWorker();
  const startedAt = performance.now();
  const failed = new AbortController();
  const [file, s3] = await withScratchFolder(async (folder) => {
    const soaks = [
      soakFiles(join(folder, 'file'), { program, seed, failed, ...counting('file:', count - onS3) }),
      onS3 === 0
        ? Promise.resolve([])
        : soakS3(join(folder, 's3'), { program, seed, failed, ...counting('s3:', onS3) }),
    ] as const;
    // The folder goes when nobody is in it any more.
    await Promise.allSettled(soaks);
    return await Promise.all(soaks);
  });
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  return {
    machine: machine(),
    load: loadavg().map((one) => Math.round(one * 10) / 10),
    versions: {},
    isProof: true,
    rows: rowsOf([...file, ...s3], count),
    missing: lacking === undefined ? [] : [`kills on s3:, ${lacking}`],
    samples: {
      seed,
      seconds,
      ...samplesOf([...file, ...s3]),
      runs: { 'file:': file.map(inShort), 's3:': s3.map(inShort) },
    },
  };
}

type Soaking = Omit<SoakOptions, 'url' | 'folder' | 'environment'>;

async function soakFiles(folder: string, options: Soaking): Promise<LifeFacts[]> {
  await mkdir(folder);
  const url = pathToFileURL(join(folder, 'objects')).href;
  return await soak({ ...options, url, folder, environment: {} });
}

async function soakS3(folder: string, options: Soaking): Promise<LifeFacts[]> {
  await mkdir(folder);
  return await withS3(join(folder, 'server'), async ({ endpoint, region, bucket, accessKeyId, secretAccessKey }) => {
    const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    // This process reads what the attempts have written.
    Object.assign(process.env, environment);
    const url = `s3://${bucket}/kills?endpoint=${endpoint}&region=${region}`;
    return await soak({ ...options, url, folder, environment });
  });
}

/** So many kills in a store, of which it is said how many there were. */
function counting(where: string, all: number): Pick<SoakOptions, 'kills' | 'onLife'> {
  let done = 0;
  const onLife = (life: LifeFacts): void => {
    done += hitsOf(life, 'kill').length;
    console.log(`${where} ${done}/${all} kills; run ${life.number}: ${life.attempts} attempts, ${sayFaults(life)}`);
  };
  return { kills: all, onLife };
}

/** What has been counted, and what of it must be none. */
export function rowsOf(lives: readonly LifeFacts[], wanted: number): Row[] {
  const sum = (count: (life: LifeFacts) => number): number => lives.reduce((total, life) => total + count(life), 0);
  const none = (what: string, count: (life: LifeFacts) => number): Row => countRow(what, sum(count), 0);
  const killed = sum((life) => hitsOf(life, 'kill').length);
  const rows = sum((life) => life.rows);
  const stops = sum((life) => hitsOf(life, 'stop').length);
  return [
    countRow(
      `SIGKILLs that hit, in ${lives.length} runs of ${sum(({ attempts }) => attempts)} attempts`,
      killed,
      wanted,
    ),
    none(`examples lost, of ${rows} delivered`, ({ lost }) => lost),
    none('examples repeated', ({ repeated }) => repeated),
    none('examples in another place or with other bytes than undisturbed', ({ changed }) => changed),
    none('files of last checkpoints with other bytes than undisturbed', ({ files }) => files),
    none(`acknowledged commits gone back behind, of ${sum(({ commits }) => commits)}`, ({ goneBack }) => goneBack),
    none(`stopped ones that went on though overtaken, of ${stops}`, ({ zombies }) => zombies),
    none('damaged objects', ({ damaged }) => damaged.length),
    none('objects left that nobody needs', ({ leftovers }) => leftovers.length),
  ];
}

function samplesOf(lives: readonly LifeFacts[]): Readonly<Record<string, unknown>> {
  const hits = lives.flatMap((life) => life.hits);
  const counted = (what: Hit['what'], of: (hit: Hit) => string): Readonly<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const hit of hits.filter((each) => each.what === what)) counts[of(hit)] = (counts[of(hit)] ?? 0) + 1;
    return counts;
  };
  return {
    'kills by place': counted('kill', ({ place }) => place),
    'kills by fault point': counted('kill', ({ point }) => point ?? 'none, at a random moment'),
    'stops by place': counted('stop', ({ place }) => place),
    'runs whose last process was killed after the outcome': lives.filter(({ isSettled }) => !isSettled).length,
  };
}

/** A run of which there is nothing to tell; all of it where there is. */
function inShort(life: LifeFacts): LifeFacts | Readonly<Record<string, number>> {
  if (faultsOf(life).length > 0) return life;
  const { number, attempts, commits } = life;
  return { number, attempts, commits, kills: hitsOf(life, 'kill').length, stops: hitsOf(life, 'stop').length };
}

function faultsOf(life: LifeFacts): readonly Row[] {
  return rowsOf([life], hitsOf(life, 'kill').length).filter(({ met }) => !met);
}

function hitsOf({ hits }: LifeFacts, what: Hit['what']): readonly Hit[] {
  return hits.filter((hit) => hit.what === what);
}

function sayFaults(life: LifeFacts): string {
  const wrong = faultsOf(life);
  return wrong.length === 0 ? 'as undisturbed' : wrong.map(({ what, value }) => `${value} ${what}`).join(', ');
}
