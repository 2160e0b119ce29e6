import { lives } from './0001-lives.js';
import { fence } from './0002-fence.js';
import { logGap } from './0003-log-gap.js';
import { controller } from './0004-controller.js';
import { workersAndOwners } from './0005-workers-and-owners.js';
import { series } from './0006-series.js';
import { datasetRoles } from './0007-dataset-roles.js';
import { losses } from './0008-losses.js';
import { nonFinite } from './0009-non-finite.js';
import { progressStep } from './0010-progress-step.js';
import { lastHeard } from './0011-last-heard.js';
import { refusals } from './0012-refusals.js';
import { engines } from './0013-engines.js';
import { programs } from './0014-programs.js';
import { metrics } from './0015-metrics.js';
import { verbs } from './0016-verbs.js';
import { origins } from './0017-origins.js';
import { quarantines } from './0018-quarantines.js';
import { deletions } from './0019-deletions.js';
import { reproductions } from './0020-reproductions.js';
import { hyperparameters } from './0021-hyperparameters.js';
import { tags } from './0022-tags.js';
import { predecessors } from './0023-predecessors.js';
import { facets } from './0024-facets.js';
import type { Migration } from './migration.js';

/** All migrations, in the order in which they are applied. */
export const migrations: readonly Migration[] = [
  lives,
  fence,
  logGap,
  controller,
  workersAndOwners,
  series,
  datasetRoles,
  losses,
  nonFinite,
  progressStep,
  lastHeard,
  refusals,
  engines,
  programs,
  metrics,
  verbs,
  origins,
  quarantines,
  deletions,
  reproductions,
  hyperparameters,
  tags,
  predecessors,
  facets,
];
