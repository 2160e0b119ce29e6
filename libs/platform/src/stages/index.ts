/** `@longrun/platform/stages`: how a starting process says what it does. Loads nothing else, so that it can be said first. */
export { newestStage, sayStage } from './stage.js';
