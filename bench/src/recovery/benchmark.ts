import { loadavg } from 'node:os';
import { machine, type Report, type Row, quantileRow, versionOf } from '../report.js';
import { type Fault, faults, type Signal } from './faults.js';
import { stalledJobRecovery } from './peer.js';

/** Workers that go, for each signal. */
const RUNS = 20;

/**
 * From SIGKILL (and SIGTERM) of a worker under training to the first step that an idle worker beside it does; in the same run,
 * stalled jobs of plain BullMQ on its default settings with an idle worker waiting.
 *
 * @param runs for each signal: fewer for a look, which meets or misses no goal
 */
export async function recovery(runs = RUNS): Promise<Report> {
  const signals = Array.from({ length: runs }, (): Signal[] => ['SIGKILL', 'SIGTERM']).flat();
  const ours = await faults(signals);
  // After it: it waits for minutes and computes nothing, but it starts processes.
  const peerMs = await stalledJobRecovery(runs);
  const seconds = (signal: Signal, field: 'firstStepMs' | 'sameStepMs'): number[] =>
    ours.filter((fault) => fault.signal === signal).map((fault) => fault[field] / 1000);
  const peer = peerMs.map((ms) => ms / 1000);
  const rows: Row[] = [
    quantileRow(
      "SIGKILL to the successor's first step, p95; peer: BullMQ defaults, to the job's second start",
      's',
      seconds('SIGKILL', 'firstStepMs'),
      peer,
      { part: 0.95, bound: 4 },
    ),
    quantileRow("SIGTERM to the successor's first step, p95", 's', seconds('SIGTERM', 'firstStepMs'), null, {
      part: 0.95,
      bound: 1.5,
    }),
    quantileRow('SIGKILL until training is where it was, p95', 's', seconds('SIGKILL', 'sameStepMs'), null, {
      part: 0.95,
      bound: 9,
    }),
  ];
  const samples: Readonly<Record<string, readonly Fault[] | readonly number[]>> = { faults: ours, 'peer, ms': peerMs };
  const load = loadavg().map((one) => Math.round(one * 10) / 10);
  return { machine: machine(), load, versions: { bullmq: versionOf('bullmq') }, rows, samples };
}
