/** A URL for people: without its user and password, and without its settings, in which such may stand, too. */
export function maskedUrl(url: string): string {
  // A secret key may have a slash in it.
  return url.replace(/\/\/.*@/u, '//…@').replace(/\?.*$/u, '?…');
}
