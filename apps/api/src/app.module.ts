import { type DynamicModule, Module } from '@nestjs/common';
import { Platform, type PlatformRole } from '@longrun/platform';
import { CheckpointsController } from './checkpoints/checkpoints.controller.js';
import { ResultsController } from './checkpoints/results.controller.js';
import { Verifications } from './checkpoints/verifications.js';
import { DatasetsController } from './datasets/datasets.controller.js';
import { EventStreams } from './experiments/event-streams.js';
import { ExperimentsController } from './experiments/experiments.controller.js';
import { VerbsController } from './experiments/verbs.controller.js';
import { FileAnswers } from './files/file-answers.js';
import { HealthController } from './health/health.controller.js';
import { Probes } from './health/probes.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { Description, OpenApiController } from './openapi/openapi.controller.js';
import { ProblemsController } from './problems/problems.controller.js';
import { SessionCookies } from './request/session-cookie.js';
import { SessionController } from './session/session.controller.js';
import { ProgramsController } from './programs/programs.controller.js';
import { WorkersController } from './workers/workers.controller.js';

/** What the application is made of besides itself. Whoever started these closes them. */
export interface ApplicationParts {
  readonly platform: Platform;
  readonly eventStreams: EventStreams;
  readonly verifications: Verifications;
  readonly files: FileAnswers;
  readonly probes: Probes;
  readonly sessionCookies: SessionCookies;
}

/** The routes. */
@Module({})
export class AppModule {
  /**
   * @param parts asked for when the application is made; not at all when it is only described
   * @param role a process that only acts as controller serves nothing but its health
   */
  static of(parts: () => ApplicationParts, role: PlatformRole = 'all'): DynamicModule {
    return {
      module: AppModule,
      controllers: role === 'controller' ? [HealthController] : everything,
      providers: [
        Description,
        { provide: Platform, useFactory: () => parts().platform },
        { provide: EventStreams, useFactory: () => parts().eventStreams },
        { provide: Verifications, useFactory: () => parts().verifications },
        { provide: FileAnswers, useFactory: () => parts().files },
        { provide: SessionCookies, useFactory: () => parts().sessionCookies },
        { provide: Probes, useFactory: () => parts().probes },
      ],
    };
  }
}

const everything = [
  ExperimentsController,
  MetricsController,
  VerbsController,
  CheckpointsController,
  ResultsController,
  DatasetsController,
  WorkersController,
  ProgramsController,
  SessionController,
  HealthController,
  OpenApiController,
  ProblemsController,
];
