/** The life of experiments and datasets: record, queues, events, scheduler, reconciler. See README.md. */
export { type QueueSettings, queueSettings, type QueueSettingsInput } from './queue/queue-settings.js';
export { type JobContext, type JobHandler, type JobTaker } from './queue/take-jobs.js';
export { type Warn } from './redis/connection.js';
export { defaultPrefix } from './redis/keys.js';
export { EventOutbox } from './worker/event-outbox.js';
export { WorkerLink, type WorkerLinkOptions } from './worker/worker-link.js';
