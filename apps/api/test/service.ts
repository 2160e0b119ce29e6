import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { LoggerService } from '@nestjs/common';
import { bundleProgram, type ProgramBundle } from '@longrun/platform/programs';
import { RedisServer } from '@longrun/platform/testing';
import request from 'supertest';
import { readConfiguration } from '../src/configuration.js';
import { type RunningApi, startApi } from '../src/start-api.js';
import { tokenOf } from '../src/token.js';

/** A program of these tests: `layers`, `faulty`, `checks`. */
export async function programOf(name: string): Promise<ProgramBundle> {
  const known = bundles.get(name) ?? bundleProgram(fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url)));
  bundles.set(name, known);
  return await known;
}
const bundles = new Map<string, Promise<ProgramBundle>>();

/** What was logged: message and fields. */
export interface LogLine {
  readonly level: 'log' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The whole API of a test's own: real Redis, embedded record, file store, listening on a free port of 127.0.0.1. */
export class Service {
  readonly api: RunningApi;
  readonly redis: RedisServer;
  readonly stateFolder: string;
  readonly token: string;
  readonly log: readonly LogLine[];

  private constructor(
    parts: Omit<
      Service,
      'close' | 'url' | 'get' | 'post' | 'put' | 'patch' | 'publish' | 'delete' | 'raw' | 'events' | 'objectsUrl'
    >,
  ) {
    this.api = parts.api;
    this.redis = parts.redis;
    this.stateFolder = parts.stateFolder;
    this.token = parts.token;
    this.log = parts.log;
  }

  /** Starts one with these programs. `environment` is what main.ts would read, on top of state and Redis. */
  static async start(
    environment: Readonly<Record<string, string>> = {},
    programs: readonly string[] = ['layers'],
  ): Promise<Service> {
    const redis = await RedisServer.start();
    const stateFolder = await mkdtemp(join(tmpdir(), 'longrun-api-'));
    const log: LogLine[] = [];
    const configuration = readConfiguration({
      LONGRUN_STATE: stateFolder,
      REDIS_URL: redis.url,
      LONGRUN_DASHBOARD: join(stateFolder, 'dashboard'),
      ...environment,
    });
    try {
      const api = await startApi(configuration, collector(log));
      const token = configuration.token ?? (await tokenOf(stateFolder));
      const service = new Service({ api, redis, stateFolder, token, log });
      for (const name of programs) {
        const { sha256, module } = await programOf(name);
        await service.publish(name, sha256, module).expect(201);
      }
      return service;
    } catch (error) {
      await redis.stop();
      await rm(stateFolder, { recursive: true, force: true });
      throw error;
    }
  }

  get url(): string {
    return this.api.url;
  }

  get objectsUrl(): string {
    return pathToFileURL(join(this.stateFolder, 'objects')).href;
  }

  get(path: string): request.Test {
    return this.raw().get(path).set('Authorization', `Bearer ${this.token}`);
  }

  post(path: string, body?: object): request.Test {
    const test = this.raw().post(path).set('Authorization', `Bearer ${this.token}`);
    return body === undefined ? test : test.send(body);
  }

  put(path: string): request.Test {
    return this.raw().put(path).set('Authorization', `Bearer ${this.token}`);
  }

  patch(path: string, body: object): request.Test {
    return this.raw().patch(path).set('Authorization', `Bearer ${this.token}`).send(body);
  }

  publish(name: string, sha256: string, module: string | Uint8Array): request.Test {
    return this.put(`/v1/programs/${sha256}?name=${name}`)
      .set('Content-Type', 'text/javascript')
      .send(typeof module === 'string' ? module : Buffer.from(module));
  }

  delete(path: string): request.Test {
    return this.raw().delete(path).set('Authorization', `Bearer ${this.token}`);
  }

  /** Requests without the token. */
  raw(): ReturnType<typeof request> {
    return request(this.url);
  }

  async close(): Promise<void> {
    await this.api.close();
    await this.redis.stop();
    await rm(this.stateFolder, { recursive: true, force: true });
  }
}

function collector(log: LogLine[]): LoggerService {
  const take =
    (level: LogLine['level']) =>
    (message: unknown, fields?: unknown): void => {
      log.push({ level, message: String(message), fields: { ...(typeof fields === 'object' ? fields : {}) } });
    };
  return { log: take('log'), warn: take('warn'), error: take('error') };
}
