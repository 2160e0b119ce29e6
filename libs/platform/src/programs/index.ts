/** Programs as modules: how one is made of what a researcher writes, and where one is imported from. Not part of the platform itself. */
export { bundleProgram, type ProgramBundle } from './bundle.js';
export { BundleRefused } from './bundle-refused.js';
export { installedLibraries } from './installed-libraries.js';
export { layOutProgram } from './lay-out.js';
