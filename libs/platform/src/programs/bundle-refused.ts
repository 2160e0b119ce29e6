/** A program cannot be made one module; the message says where and why, and what to do. */
export class BundleRefused extends Error {
  override readonly name = 'BundleRefused';
}
