import { loadavg } from 'node:os';
import { trainerEnvironment } from '@longrun/platform/processes';
import { machine, marginRow, quantileRow, ratioRow, boundRow, type Report, type Row, versionOf } from '../report.js';
import { BATCH_SIZE } from './examples.js';
import type { PythonPeer } from '../python-peer.js';
import { loaderPeer, tensorsPeer, trainingPeers } from './python-peers.js';
import { restoring } from './restoring.js';
import { resuming } from './resuming.js';
import { savingInTraining } from './saving-in-training.js';
import { widthFor } from './saved-network.js';
import { saving } from './saving.js';
import { trainingRows } from './training-rows.js';
import { smallCommits } from './small-commits.js';
import { streamStates } from './stream-states.js';
import { uploading } from './uploading.js';
import { withoutS3 } from './s3-server.js';

/** Of a snapshot. */
const BYTES = 500_000_000;
/** Examples that a stream goes through, one for so many bytes of a snapshot. */
const BYTES_OF_EXAMPLE = 50;

/**
 * Snapshots of 500 MB saved and restored, and saved while training goes on, small commits, and the states of a stream over 10 M examples; in turn with what the disk, the
 * processor, safetensors, PyTorch, the SDK of AWS and torchdata do with the same.
 *
 * @param bytes of a snapshot: fewer for a look, with fewer examples too, which meets or misses no goal
 */
export async function serialization(bytes = BYTES): Promise<Report> {
  const rows: Row[] = [];
  const samples: Record<string, unknown> = {};
  const missing: string[] = [];
  const size = `${Math.round(bytes / 1e6)} MB`;

  const tensors = await tensorsPeer(bytes);
  if (tensors.missing !== undefined) missing.push(tensors.missing);
  try {
    const saved = await saving(bytes, tensors.contestant);
    samples['saved to file:, ms'] = saved;
    const bound = saved.write.map((written, round) => Math.max(written, saved.sha256[round] ?? Number.NaN));
    rows.push(
      ratioRow(
        `${size} saved to file:, durable; peer: the longer of write + fsync and SHA-256`,
        'ms',
        saved.ours,
        bound,
        1.2,
      ),
      ratioRow(
        `${size} saved to file:, durable; ${tensors.named('save_file + fsync')}`,
        'ms',
        saved.ours,
        saved.python,
        1,
      ),
    );
    const restored = await restoring(bytes, tensors.contestant);
    samples['restored from file:, ms'] = restored;
    rows.push(
      ratioRow(
        `${size} restored from file:, verified; ${tensors.named('load_file + sha256')}`,
        'ms',
        restored.ours,
        restored.python,
        1,
      ),
    );
  } finally {
    tensors.contestant?.stop();
  }

  const trainings = await trainingPeers(widthFor(bytes), trainerEnvironment());
  const noTraining = [...trainings.values()].find(({ missing: sentence }) => sentence !== undefined)?.missing;
  if (noTraining !== undefined) missing.push(noTraining);
  try {
    const saved = await savingInTraining(bytes, trainings);
    samples['saved in training, ms'] = { ours: saved.ours, ...Object.fromEntries(saved.peers) };
    rows.push(...trainingRows(size, saved));
  } finally {
    for (const { contestant } of trainings.values()) await contestant?.end();
  }

  const noS3 = withoutS3();
  if (noS3 === undefined) {
    const uploaded = await uploading(bytes);
    samples['saved to s3:, ms'] = uploaded;
    const what = `${size} saved to s3:, radosgw; peer: Upload of @aws-sdk/lib-storage`;
    rows.push(ratioRow(what, 'ms', uploaded.ours, uploaded.peer, 1.2));
  } else {
    missing.push(`${size} saved to s3:, ${noS3}`);
  }

  const committed = await smallCommits();
  samples['commits of 4 KB, ms'] = committed;
  const what = '4 KB committed to file:; peer: its writes, fsyncs and renames by hand';
  rows.push(marginRow(what, 'ms', committed.ours, committed.byHand, 2));

  const examples = Math.floor(bytes / BYTES_OF_EXAMPLE);
  const loader = await loaderPeer(examples);
  if (loader.missing !== undefined) missing.push(loader.missing);
  try {
    const over = `${examples / 1e6} M examples`;
    const stated = await streamStates(examples, loader.contestant);
    samples['states of a stream'] = stated;
    rows.push(
      boundRow(
        `state of a 10-deep stream over ${over}; ${loader.named('StatefulDataLoader')}`,
        'bytes',
        stated.bytes,
        stated.peerBytes,
        1023,
      ),
      boundRow(
        `its share of a batch of ${BATCH_SIZE}; ${loader.named('StatefulDataLoader')}`,
        '%',
        stated.percent,
        stated.peerPercent,
        2,
      ),
    );
    const resumed = await resuming(examples, loader.contestant);
    samples['resumed to the first batch, ms'] = resumed;
    rows.push(
      quantileRow(
        `resumed in ${over}, KeyedShuffledScheme, the slowest; ${loader.named('StatefulDataLoader')}`,
        'ms',
        resumed.keyed,
        resumed.peer,
        { part: 1, bound: 5 },
      ),
      ratioRow(
        `resumed in ${over}, ShuffledScheme; ${loader.named('StatefulDataLoader')}`,
        'ms',
        resumed.shuffled,
        resumed.peer,
        1,
      ),
    );
  } finally {
    loader.contestant?.stop();
  }
  return {
    machine: machine(),
    load: loadavg().map((load) => Math.round(load * 10) / 10),
    versions: {
      ...tensors.versions,
      ...versionsOf(trainings),
      ...loader.versions,
      'lib-storage': versionOf('@aws-sdk/lib-storage'),
    },
    rows,
    missing,
    samples,
  };
}

function versionsOf(peers: ReadonlyMap<string, PythonPeer>): Readonly<Record<string, string>> {
  return Object.assign({}, ...[...peers.values()].map(({ versions }) => versions));
}
