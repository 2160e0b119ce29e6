import { binarizedMnist } from './binarized-mnist.js';
import type { BuiltInDataset } from './built-in-dataset.js';
import { calTech101Silhouettes } from './caltech101-silhouettes.js';
import { cifar10 } from './cifar10.js';
import { fashionMnist } from './fashion-mnist.js';
import { iris } from './iris.js';
import { mnist } from './mnist.js';

const all: readonly BuiltInDataset[] = [binarizedMnist, calTech101Silhouettes, cifar10, fashionMnist, iris, mnist];

/** All built-in datasets by name, and with them all converters (Fuel: `all_converters`, `all_downloaders`). */
export const converters: ReadonlyMap<string, BuiltInDataset> = new Map(all.map((dataset) => [dataset.name, dataset]));
