import type { OpenAPIObject } from '@nestjs/swagger';

/** Which methods are served at which paths, to tell a wrong method from a wrong path. */
export class RouteTable {
  readonly #routes: readonly { readonly pattern: RegExp; readonly methods: readonly string[] }[];

  constructor(document: OpenAPIObject) {
    this.#routes = Object.entries(document.paths).map(([path, item]) => ({
      pattern: new RegExp(`^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}/?$`, 'i'),
      methods: Object.keys(item).map((method) => method.toUpperCase()),
    }));
  }

  /** The methods that are served at a path; empty when nothing is. */
  methodsAt(path: string): readonly string[] {
    return this.#routes.find(({ pattern }) => pattern.test(path))?.methods ?? [];
  }
}
