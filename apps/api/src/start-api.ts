import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { LoggerService } from '@nestjs/common';
import { visibleText } from '@longrun/contracts';
import { converters } from '@longrun/fuel';
import { startPlatform } from '@longrun/platform';
import { sayStage } from '@longrun/platform/stages';
import { armFaultPoints, openObjectStore } from '@longrun/serialization';
import { announce, claim, withdraw } from './announcement.js';
import { createApplication } from './application.js';
import { Verifications } from './checkpoints/verifications.js';
import type { Configuration } from './configuration.js';
import { EventStreams } from './experiments/event-streams.js';
import { FileAnswers } from './files/file-answers.js';
import { Probes } from './health/probes.js';
import { PROGRAM_LIMITS } from './programs/program-limits.js';
import { ProgramProcesses } from './programs/program-processes.js';
import { ProgramRooms } from './programs/program-rooms.js';

import { tokenOf } from './token.js';

/** A running API. */
export interface RunningApi {
  /** Where it listens, e.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  /**
   * Stops it: the announcement is withdrawn, event streams end, requests get `shutdownMs` to finish, and the platform is
   * closed last.
   */
  close(): Promise<void>;
}

/**
 * Starts the API: token, platform, HTTP, and at last `<state>/api.json`, which says that it listens. When a
 * step fails, those before it are undone and its error is thrown.
 */
export async function startApi(configuration: Configuration, logger: LoggerService): Promise<RunningApi> {
  const { stateFolder } = configuration;
  armFaultPoints(process.env, (sentence) => logger.warn(sentence));
  const undo: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    sayStage('claiming the state folder');
    const claimed = await claim(stateFolder);
    undo.push(() => claimed.release());
    const token = configuration.token ?? (await tokenOf(stateFolder));
    const { trainerUser: user } = configuration;
    const rooms = new ProgramRooms({ stateFolder, user, report: (sentence) => logger.log(sentence) });
    // One that was asked for and cannot be had is said at once.
    if (typeof user === 'object') await rooms.prepare();
    undo.push(() => rooms.close());
    const programHost = new ProgramProcesses({
      // What comes back are the parameters of a body, with their defaults.
      limits: {
        ...PROGRAM_LIMITS,
        answerBytes: Math.max(PROGRAM_LIMITS.answerBytes, 2 * configuration.bodyLimitBytes),
      },
      rooms,
    });
    undo.push(() => programHost.close());
    const platform = await startPlatform({
      record:
        configuration.databaseUrl === undefined
          ? { folder: join(stateFolder, 'record') }
          : { databaseUrl: configuration.databaseUrl },
      role: configuration.role,
      redisUrl: configuration.redisUrl,
      objectStoreUrl: configuration.objectsUrl,
      programHost,
      converters: [...converters.values()].map((converter) => ({
        name: converter.name,
        version: converter.version,
        params: converter.params,
        pinsDownloads: (params) => converter.requiredFiles(params).every(({ sha256 }) => sha256 !== undefined),
      })),
      prefix: configuration.redisPrefix,
      ...(configuration.retentionDays !== undefined && { keepExperimentsDays: configuration.retentionDays }),
      timings: { heartbeatMs: configuration.heartbeatMs, workerLostAfterMs: configuration.workerLostMs },
      warn: (message) => logger.warn(visibleText(message)),
      onStage: sayStage,
    });
    undo.push(() => platform.close());

    const eventStreams = new EventStreams(configuration.eventHeartbeatMs);
    const probes = new Probes(platform, await openObjectStore(configuration.objectsUrl), {
      timeoutMs: configuration.probeTimeoutMs,
    });
    undo.push(() => probes.close());
    sayStage('wiring the routes');
    const application = await createApplication({
      ...configuration,
      token,
      platform,
      eventStreams,
      verifications: new Verifications(configuration.eventHeartbeatMs),
      files: new FileAnswers(configuration.downloads),
      probes,
      logger,
    });
    const server: Server = application.getHttpServer();
    undo.push(async () => {
      const closed = application.close();
      const cut = setTimeout(() => server.closeAllConnections(), configuration.shutdownMs);
      await closed.finally(() => clearTimeout(cut));
    });
    undo.push(() => eventStreams.close());

    sayStage('binding its port');
    await application.listen(configuration.port, configuration.host).catch((error: unknown) => {
      throw listenError(error, configuration);
    });
    const url = urlOf(server.address());
    await announce(stateFolder, { url, pid: process.pid });
    undo.push(() => withdraw(stateFolder));
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function listenError(error: unknown, { host, port }: Configuration): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return new Error(`LONGRUN_PORT: ${port} is in use on ${host}; give another one, or 0 for a free one`, {
        cause: error,
      });
    case 'EACCES':
      return new Error(`LONGRUN_PORT: ${port} is not for this user to bind; give one above 1023`, { cause: error });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new Error(`LONGRUN_HOST: ${host} is no address of this machine; give 127.0.0.1, or one that is`, {
        cause: error,
      });
    default:
      return error;
  }
}

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new Error(`The server listens at ${String(address)}`);
  // What listens on every address is reached at this one.
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[address.address];
  return `http://${host ?? (address.family === 'IPv6' ? `[${address.address}]` : address.address)}:${address.port}`;
}
