import { sayStage } from '@longrun/platform/stages';

// Before anything that takes time to load.
sayStage('loading code');
const { run } = await import('./run.js');
await run();
