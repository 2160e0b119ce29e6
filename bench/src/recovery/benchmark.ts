import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { boundRow, checkout, machine, type Report, stateFolder, versionOf } from '../report.js';
import { stalledJobRecovery } from './peer.js';

/** Disturbed runs of the demo's experiment; each has one SIGKILL and one SIGTERM. */
const RUNS = 5;
/** Longest median from SIGKILL to the successor's first step, start of its process included, that we are content with. */
const GOAL_SECONDS = 10;

const Soak = z.object({
  runs: z.array(
    z.object({ faults: z.array(z.object({ signal: z.string(), firstStepMs: z.number(), lostMs: z.number() })) }),
  ),
});

/**
 * From SIGKILL (and SIGTERM) of a worker under training to the first step that its successor does, on the demo's stack; beside
 * it, in the same run, a stalled job of plain BullMQ on its default settings with an idle worker waiting.
 */
export async function recovery(): Promise<Report> {
  const [, peer] = await Promise.all([soak(), stalledJobRecovery(RUNS)]);
  const kept = Soak.parse(JSON.parse(await readFile(join(stateFolder, 'demo', 'soak.json'), 'utf8')));
  const faults = kept.runs.flatMap((run) => run.faults);
  const seconds = (signal: string, field: 'firstStepMs' | 'lostMs'): number[] =>
    faults.filter((fault) => fault.signal === signal).map((fault) => fault[field] / 1000);
  const peerSeconds = peer.map((ms) => ms / 1000);
  return {
    machine: machine(),
    versions: { bullmq: versionOf('bullmq') },
    rows: [
      boundRow(
        "SIGKILL to the successor's first step; peer: BullMQ defaults, to the job's second start",
        's',
        seconds('SIGKILL', 'firstStepMs'),
        peerSeconds,
        GOAL_SECONDS,
      ),
      boundRow('SIGKILL until training is where it was', 's', seconds('SIGKILL', 'lostMs'), null, GOAL_SECONDS + 5),
      boundRow("SIGTERM to the successor's first step", 's', seconds('SIGTERM', 'firstStepMs'), null, GOAL_SECONDS),
    ],
  };
}

/** The demo's own soak, so that what is measured is what users run. */
function soak(): Promise<void> {
  const args = [join(checkout, 'apps/cli/bin/longrun.js'), 'demo', '--state', stateFolder, '--repeat', String(RUNS)];
  return new Promise((resolve, reject) => {
    spawn(process.execPath, args, { cwd: checkout, stdio: 'inherit' })
      .once('error', reject)
      .once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the soak ended with exit code ${code}`))));
  });
}
