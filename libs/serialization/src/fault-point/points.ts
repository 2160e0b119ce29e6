/**
 * The points at which a fault can be put into a process, in the order of the protocol, each with what is true there. A process that
 * dies at any of them loses nothing and does nothing twice.
 */
export const FAULT_POINTS = {
  'enqueue.specified': 'The scheduler has written what a worker has to know to the store, and issued no fence yet.',
  'enqueue.recorded': 'The record has the new fence, and the queue has no job for it.',
  'enqueue.queued': 'The job is in the queue, and the scheduler does not know it yet.',

  'take.taken': 'A worker has taken a job off the queue, and not asked for its lease.',
  'lease.read': 'Who wants a lease has seen that it may be taken, and not taken it: another may be faster.',
  'lease.claimed': 'The head names the new holder, who does not know it yet.',
  'take.claimed': 'A worker holds the lease of a job, and nobody was told.',

  'snapshot.handed-over': 'A worker has heard of a finished snapshot, and nothing of it is in the store.',
  'commit.blobs-written': "A checkpoint's files are in the store; its log may be, or not.",
  'commit.log-written': "A checkpoint's log is in the store; its files may be, or not.",
  'commit.manifest-written': 'The manifest is in the store, and the head does not name it.',
  'commit.head-swapped': 'The head names the checkpoint, and what it no longer names is still there.',
  'commit.collected':
    'What the head no longer names is gone; the worker may know that it has committed, and has not looked at the log.',
  'snapshot.committed': 'A snapshot has become a checkpoint, and its trainer was not told.',

  'keep-log.written': 'The rows after the last checkpoint are in the store, and the head does not name them.',
  'keep-log.head-swapped': 'The head names the rows after the last checkpoint, and the attempt has no outcome.',
  'outcome.decided': 'It is decided how a life ends, and the head does not have it.',
  'outcome.in-head': 'The head has the outcome, and nobody was told.',
  'lease.released':
    'The head says that nobody holds the lease, and the record may not know that the attempt has ended.',
  'outcome.sent': 'The last event of an attempt is in Redis, and the record has not taken it.',

  'ingest.read': 'Events were read from Redis, and nothing of them is in the record.',
  'ingest.applied':
    "Events have had their effects in a transaction, the cursor's move among them, that is not committed.",
  'ingest.committed': 'The record has the events, and their workers were not told.',

  'end.unsealed': 'An end is decided in the record, and the lease may still be held by a worker.',
  'end.sealed': 'The record has sealed the lease with an outcome, and does not have the end itself.',
  'end.log-completed':
    'The record has the whole log of a life whose outcome is in its head, nothing is in the store that nobody needs, and the record has not yet the end.',
} as const satisfies Readonly<Record<string, string>>;

export type FaultPoint = keyof typeof FAULT_POINTS;

/** True for the name of a fault point. */
export function isFaultPoint(name: string): name is FaultPoint {
  return Object.hasOwn(FAULT_POINTS, name);
}
