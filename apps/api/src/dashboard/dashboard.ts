import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { RequestHandler } from 'express';
import helmet from 'helmet';

/**
 * Serves the built dashboard at `/` and the addresses of its pages, without the token: its files hold no secrets. While it has not been built, `/` says how
 * to build it.
 */
export function serveDashboard(application: NestExpressApplication, folder: string): void {
  application.useStaticAssets(folder, {
    redirect: false,
    setHeaders: (response: { setHeader(name: string, value: string): void }, path: string) => {
      // Vite names what is below assets/ by its content; everything else must be looked at again.
      const isHashed = path.startsWith(join(folder, 'assets'));
      response.setHeader('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  const page: RequestHandler = (request, response, next) => {
    const isPage = PAGES.test(request.path) && (request.method === 'GET' || request.method === 'HEAD');
    if (!isPage) return next();
    // Whatever page it is, the same file shows it.
    if (existsSync(join(folder, 'index.html')))
      return response.setHeader('Cache-Control', 'no-cache').sendFile('index.html', { root: folder });
    response.type('html').setHeader('Cache-Control', 'no-cache').send(NOT_BUILT_PAGE);
  };
  application.use(page);
}

/** Security headers that fit a page built by Vite and served over plain HTTP on loopback. */
export function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        // Widgets set inline styles; no script can.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        fontSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        workerSrc: ["'self'", 'blob:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    xFrameOptions: { action: 'deny' },
    // TLS ends at a proxy, if there is one, and that proxy says whether browsers must insist on it.
    strictTransportSecurity: false,
  });
}

/** Addresses that people share. */
const PAGES = /^\/(experiments\/[^/]+\/?)?$/;

const NOT_BUILT_PAGE = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Longrun</title></head>
  <body><p>The dashboard has not been built. Run <code>npm run build</code> in the checkout and reload this page; the API is at <a href="/openapi.json">/openapi.json</a>.</p></body>
</html>
`;
