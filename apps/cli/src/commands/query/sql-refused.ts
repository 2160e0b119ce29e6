/** A statement cannot be run. */
export class SqlRefused extends Error {
  override readonly name = 'SqlRefused';
}
