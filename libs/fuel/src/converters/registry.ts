import type { Converter } from './converter.js';
import { fashionMnist } from './fashion-mnist.js';
import { mnist } from './mnist.js';

/** All converters by name (Fuel: `all_converters`). */
export const converters: ReadonlyMap<string, Converter> = new Map(
  [fashionMnist, mnist].map((converter) => [converter.name, converter]),
);
