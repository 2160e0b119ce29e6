import { maskedUrl } from '../masked-url.js';
import { checkKey, InvalidKey } from '../object-key.js';

/** Where an S3 store is, and how it is spoken to. */
export interface S3Options {
  /** URL of the server. Default: what the URL of the store says, then AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL, then that of AWS. */
  readonly endpoint?: string | undefined;
  /** Default: what the URL of the store says, then as the AWS SDK finds it; `us-east-1` for an endpoint of one's own. */
  readonly region?: string | undefined;
  /** Whether the bucket is in the path, and not in the host name. Default: what the URL says; true for an endpoint of one's own. */
  readonly pathStyle?: boolean | undefined;
  /** Default: as the AWS SDK finds them, in the environment, its files or from the machine. */
  readonly credentials?: S3Credentials | undefined;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A bucket, and the start of all keys in it. */
export interface S3Location {
  /** As it was given. */
  readonly url: string;
  readonly bucket: string;
  /** Empty, or ending in a slash. */
  readonly prefix: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly pathStyle: boolean;
  readonly credentials: S3Credentials | undefined;
}

/**
 * Reads `s3://bucket/prefix`, which may go on `?endpoint=http://host:port&region=eu-1&pathStyle=true`.
 *
 * @throws Error for a URL that is another, or has something in it that must not be there
 */
export function s3Location(url: string, options: S3Options = {}, environment = process.env): S3Location {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !BUCKET.test(parsed.hostname)) {
    throw new Error(`object store ${maskedUrl(url)}: the bucket is missing or has no bucket's name; ${EXAMPLE}`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new Error(
      `object store ${maskedUrl(url)}: credentials do not belong into a URL; give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    );
  }
  const unknown = [...parsed.searchParams.keys()].find((name) => !SETTINGS.has(name));
  if (unknown !== undefined) {
    throw new Error(
      `object store ${maskedUrl(url)}: ${unknown} is no setting; there are ${[...SETTINGS].join(', ')}; ${EXAMPLE}`,
    );
  }
  const path = parsed.pathname.replace(/^\//u, '').replace(/\/$/u, '');
  if (path !== '') checkPath(url, path);
  const setting = (name: string, ...variables: readonly string[]): string | undefined =>
    [parsed.searchParams.get(name), ...variables.map((variable) => environment[variable])].find(
      (value) => value !== null && value !== undefined && value.trim() !== '',
    ) ?? undefined;
  const endpoint = options.endpoint ?? setting('endpoint', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL');
  if (endpoint !== undefined) checkEndpoint(url, endpoint);
  const pathStyle = setting('pathStyle');
  return {
    url,
    bucket: parsed.hostname,
    prefix: path === '' ? '' : `${path}/`,
    endpoint,
    region:
      options.region ??
      setting('region', 'AWS_REGION', 'AWS_DEFAULT_REGION') ??
      (endpoint === undefined ? undefined : 'us-east-1'),
    pathStyle: options.pathStyle ?? (pathStyle === undefined ? endpoint !== undefined : pathStyle === 'true'),
    credentials: options.credentials,
  };
}

function checkEndpoint(url: string, endpoint: string): void {
  const parsed = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (parsed?.username === '' && parsed.password === '' && /^https?:$/u.test(parsed.protocol)) return;
  throw new Error(
    `object store ${maskedUrl(url)}: the endpoint ${maskedUrl(endpoint)} is no http: or https: URL without credentials; give ` +
      `http://host:port, and credentials as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
  );
}

function checkPath(url: string, path: string): void {
  try {
    checkKey(path);
  } catch (error) {
    if (!(error instanceof InvalidKey)) throw error;
    throw new Error(`object store ${maskedUrl(url)}: ${error.message}; ${EXAMPLE}`, { cause: error });
  }
}

const SETTINGS: ReadonlySet<string> = new Set(['endpoint', 'region', 'pathStyle']);
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/u;
const EXAMPLE = 'give s3://bucket/prefix';
