import { hideEnvironment } from '@longrun/platform/configuration';
import { sayStage } from '@longrun/platform/stages';

// Before anything is started, and before anything that takes time to load.
hideEnvironment();
sayStage('loading code');
const { run } = await import('./run.js');
await run();
