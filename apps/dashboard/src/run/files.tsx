import { CHECKPOINT_FILES, type OutputList, type StoredCheckpointList } from '@longrun/contracts';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { ago, count, size } from '../amounts.js';
import { api, experimentUrl, fetchOutputs } from '../api.js';
import { Card, Table } from './card.js';

/** How often it is looked whether there are others, in milliseconds: each look reads the object store. */
const LOOK_EVERY_MS = 10_000;

/** What a run has made that can be downloaded, and its checkpoints. */
export function Files({
  id,
  isLive,
  now,
}: {
  readonly id: string;
  readonly isLive: boolean;
  readonly now: number;
}): ReactNode {
  const refetchInterval = isLive ? LOOK_EVERY_MS : false;
  const checkpoints = useQuery({
    queryKey: ['checkpoints', id, isLive],
    queryFn: ({ signal }) => api.checkpoints.list(id, signal),
    refetchInterval,
  });
  const outputs = useQuery({
    queryKey: ['outputs', id, isLive],
    queryFn: ({ signal }) => fetchOutputs(id, signal),
    refetchInterval,
  });
  const items = checkpoints.data?.items ?? [];
  const files = downloads(id, items, outputs.data);
  if (items.length === 0) return null;
  return (
    <div className="grid gap-6 lg:grid-cols-2">
      {files.length > 0 && (
        <Card title="Files">
          <Table
            columns={[{ title: 'Name' }, { title: 'Size', isNumber: true }, { title: 'SHA-256' }]}
            rows={files.map(({ name, url, sizeBytes, sha256 }) => ({
              key: name,
              cells: [
                <a key="name" href={url} download={name} className="text-accent hover:underline">
                  {name}
                </a>,
                size(sizeBytes),
                <span key="hash" className="font-mono text-xs" title={sha256}>
                  {sha256.slice(0, 12)}…
                </span>,
              ],
            }))}
          />
        </Card>
      )}
      <Card title="Checkpoints">
        <Table
          columns={[
            { title: 'Step', isNumber: true },
            { title: 'Size', isNumber: true },
            { title: 'Made' },
            { title: '' },
          ]}
          rows={items.map(({ name, step, sizeBytes, createdAt, damage, holds }) => ({
            key: name,
            cells: [
              count(step),
              sizeBytes === null ? '–' : size(sizeBytes),
              createdAt === null ? '–' : ago(createdAt, now),
              damage ?? holds.map((hold) => hold.name).join(', '),
            ],
          }))}
        />
      </Card>
    </div>
  );
}

interface Download {
  readonly name: string;
  readonly url: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** The parameters of the newest checkpoint, and what the program has written by then. */
function downloads(
  id: string,
  checkpoints: StoredCheckpointList['items'],
  outputs: OutputList | null | undefined,
): Download[] {
  const parameters = checkpoints[0]?.files?.find(({ name }) => name === CHECKPOINT_FILES.parameters);
  const written = (outputs?.items ?? []).map(({ name, sizeBytes, sha256 }) => {
    const url = `${experimentUrl(id)}/outputs/${encodeURIComponent(name)}`;
    return { name, url, sizeBytes, sha256 };
  });
  if (parameters === undefined) return written;
  return [{ ...parameters, url: `${experimentUrl(id)}/parameters` }, ...written];
}
