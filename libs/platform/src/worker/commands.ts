import { WorkerCommand } from '@longrun/contracts';
import type { Redis } from 'ioredis';

import type { WorkerRow } from '../record/tables.js';
import type { Warn } from '../redis/connection.js';
import type { RedisKeys } from '../redis/keys.js';
import { parseJson } from '../redis/parse-json.js';

/** Tells every worker; nothing says whether anybody listens, so repeat it until it is obeyed. */
export async function publishCommand(redis: Redis, keys: RedisKeys, command: WorkerCommand): Promise<void> {
  await redis.publish(keys.commands, JSON.stringify(command));
}

/**
 * Calls `listener` for each command to any worker; it picks out its own by `id` and `fence`. The same command comes
 * again until it is obeyed.
 *
 * @param redis a connection of its own, for a subscribed one can do nothing else
 */
export async function listenCommands(
  redis: Redis,
  keys: RedisKeys,
  listener: (command: WorkerCommand) => void,
  warn: Warn,
): Promise<void> {
  redis.on('message', (_channel: string, text: string) => {
    const parsed = WorkerCommand.safeParse(parseJson(text));
    if (parsed.success) listener(parsed.data);
    else warn(`A command that this build cannot read was ignored: ${text.slice(0, 200)}`);
  });
  // ioredis subscribes again by itself when it reconnects.
  await redis.subscribe(keys.commands);
}

/** What has a worker turn to what the record wants of it, said of the quarantine that the record has heard of last. */
export function commandFor({
  id: workerId,
  status,
  reportedQuarantines: quarantines,
}: Pick<WorkerRow, 'id' | 'status' | 'reportedQuarantines'>): WorkerCommand {
  return status === 'draining' ? { type: 'drain', workerId } : { type: 'release', workerId, quarantines };
}
