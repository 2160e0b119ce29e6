import type { OpenAPIObject } from '@nestjs/swagger';

/** Which methods are served at which paths, to tell a wrong method from a wrong path. */
export class RouteTable {
  readonly #describe: () => OpenAPIObject;
  #routes: readonly Route[] | undefined;

  /** @param describe asked for the description of the application with the first question */
  constructor(describe: () => OpenAPIObject) {
    this.#describe = describe;
  }

  /** The methods that are served at a path; empty when nothing is. */
  methodsAt(path: string): readonly string[] {
    this.#routes ??= routesOf(this.#describe());
    return this.#routes.find(({ pattern }) => pattern.test(path))?.methods ?? [];
  }
}

interface Route {
  readonly pattern: RegExp;
  readonly methods: readonly string[];
}

function routesOf(document: OpenAPIObject): Route[] {
  return Object.entries(document.paths).map(([path, item]) => ({
    pattern: new RegExp(`^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}/?$`, 'i'),
    methods: Object.keys(item).map((method) => method.toUpperCase()),
  }));
}
