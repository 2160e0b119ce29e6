/** Real servers for tests. Not part of the platform: nothing that runs imports it. */
export { anyProgram } from './any-program.js';
export { CHILD_CHANNEL } from './child-channel.js';
export { freePort } from '../configuration/free-port.js';
export { makeDeepFolder } from './deep-folder.js';
export { fillLogs } from './long-logs.js';
export { crowd, type Crowd, fillRecord } from './many-experiments.js';
export { pidOf } from './pid-of.js';
export { postgresPrograms, PostgresServer } from './postgres-server.js';
export { publishModule } from './publish.js';
export { isRunning, ProcessUnderTest } from './process-under-test.js';
export { RedisServer } from './redis-server.js';
export { type Disk, smallDisk } from './small-disk.js';
export { until } from './until.js';
export { World, type WorldParts } from './world.js';
