import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { acquireLease, CheckpointStore, openObjectStore } from '@longrun/serialization';
import { BigSnapshots } from './big-snapshots.js';
import { took } from './took.js';
import { withS3 } from './s3-server.js';
import { withScratchFolder } from '../scratch-folder.js';

const ROUNDS = 5;

/** Milliseconds of each round; `processors` are those of the machine's, the server's work included. */
export interface Uploaded {
  /** From the tensors in memory to an acknowledged commit. */
  readonly ours: number[];
  readonly processors: number[];
  /** The bare file, put in parts as the SDK does it by default. */
  readonly peer: number[];
  readonly peerProcessors: number[];
}

/** Snapshots committed to a bucket; in turn with the SDK putting the same files there. The server has the same disk and processor. */
export async function uploading(bytes: number): Promise<Uploaded> {
  return await withScratchFolder(
    async (folder) =>
      await withS3(join(folder, 's3'), async ({ endpoint, region, bucket, accessKeyId, secretAccessKey }) => {
        const credentials = { accessKeyId, secretAccessKey };
        const s3 = { endpoint, region, credentials, pathStyle: true };
        const store = await openObjectStore(`s3://${bucket}/ours`, { s3 });
        const checkpoints = new CheckpointStore(store, 'bench');
        const lease = await acquireLease(store, 'bench', { fence: 1, holder: 'bench' });
        const snapshots = await BigSnapshots.start(folder, bytes);
        const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
        const uploaded: Uploaded = { ours: [], processors: [], peer: [], peerProcessors: [] };
        for (let round = 0; round < ROUNDS; round += 1) {
          const ours = await took(async () => {
            const snapshot = await snapshots.handOver(store, round);
            await snapshot.commit(checkpoints, lease);
          });
          await checkpoints.settled();
          const params = { Bucket: bucket, Key: `bare/${round}`, Body: createReadStream(snapshots.path) };
          const peer = await took(async () => void (await new Upload({ client, params }).done()));
          uploaded.ours.push(ours.elapsed);
          uploaded.processors.push(ours.processors);
          uploaded.peer.push(peer.elapsed);
          uploaded.peerProcessors.push(peer.processors);
        }
        client.destroy();
        snapshots.stop();
        return uploaded;
      }),
  );
}
