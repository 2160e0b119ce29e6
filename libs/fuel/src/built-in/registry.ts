import { adult } from './adult.js';
import { binarizedMnist } from './binarized-mnist.js';
import type { BuiltInDataset } from './built-in-dataset.js';
import { calTech101Silhouettes } from './caltech101-silhouettes.js';
import { celebA } from './celeba.js';
import { cifar10 } from './cifar10.js';
import { cifar100 } from './cifar100.js';
import { dogsVsCats } from './dogs-vs-cats.js';
import { fashionMnist } from './fashion-mnist.js';
import { ilsvrc2010 } from './ilsvrc2010.js';
import { ilsvrc2012 } from './ilsvrc2012.js';
import { iris } from './iris.js';
import { mnist } from './mnist.js';
import type { NamedDataset } from './named-dataset.js';
import { svhn } from './svhn.js';
import { text } from './text.js';
import { youtubeAudio } from './youtube-audio.js';

const converted: readonly BuiltInDataset[] = [
  adult,
  binarizedMnist,
  calTech101Silhouettes,
  cifar10,
  cifar100,
  fashionMnist,
  iris,
  mnist,
  text,
];
const all: readonly NamedDataset[] = [...converted, celebA, dogsVsCats, ilsvrc2010, ilsvrc2012, svhn, youtubeAudio];

/** All converters by the name of their dataset (Fuel: `all_converters`, `all_downloaders`). */
export const converters: ReadonlyMap<string, BuiltInDataset> = byName(converted);

/** All built-in datasets by name: those that have a converter, and those of which files are read that the original Fuel has converted. */
export const builtInDatasets: ReadonlyMap<string, NamedDataset> = byName(all);

function byName<Named extends { readonly name: string }>(datasets: readonly Named[]): ReadonlyMap<string, Named> {
  return new Map(datasets.map((dataset) => [dataset.name, dataset]));
}
