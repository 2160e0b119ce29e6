import { assertNever, type WorkerEvent } from '@longrun/contracts';

import type { Life } from './life.js';

/**
 * Applies a worker's event to a life that takes it. Of an attempt that is over it only completes what is known.
 *
 * @param readyWorkers workers of the kind that are ready to take what the end of an attempt leaves
 */
export function applyEvent(
  life: Life,
  fence: number,
  event: WorkerEvent,
  at: Date,
  readyWorkers: readonly string[] = [],
): void {
  const open = life.isOpen(fence);
  if (open) life.claimed(at);
  switch (event.type) {
    case 'attempt_started': {
      const { type: _, ...begin } = event;
      const { restoredFrom = null, environmentChanged = [], hyperparameters = null } = begin;
      const { libraries = null, librariesChanged = [] } = begin;
      const known = { ...begin, restoredFrom, environmentChanged, hyperparameters, libraries, librariesChanged };
      life.begun(fence, known, at);
      return;
    }
    case 'hyperparameters_set':
      life.hasSet(event.number, event.step);
      return;
    case 'dataset_started':
      life.heldBy(fence, event.workerId);
      return;
    case 'heartbeat':
      if (open) life.advanced(fence, event.step);
      return;
    case 'dataset_heartbeat':
      return;
    case 'progress': {
      const { type: _, ...progress } = event;
      if (!open) return;
      life.progressed(progress, at);
      life.advanced(fence, event.step);
      return;
    }
    case 'dataset_progress': {
      const { type: _, ...progress } = event;
      if (open) life.progressed(progress, at);
      return;
    }
    case 'log_row':
      life.logged(fence, event.step, event.row, at);
      return;
    case 'non_finite': {
      const { type: _, ...cost } = event;
      life.hasNonFinite(cost);
      return;
    }
    case 'log_skipped':
      life.logMissing(event.toStep);
      return;
    case 'line':
      life.printed(fence, { stream: event.stream, text: event.text }, at);
      return;
    case 'checkpoint_committed':
      life.committed(fence, { step: event.step, sizeBytes: event.sizeBytes }, at);
      return;
    case 'attempt_ended':
    case 'dataset_ended':
      if (event.workerId !== undefined) life.heldBy(fence, event.workerId);
      if (open) life.endAttempt(event, at, readyWorkers);
      else life.completeEnd(fence, event);
      return;
    default:
      assertNever(event, 'worker event');
  }
}
