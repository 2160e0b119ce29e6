/** Whether a step of a scan is being made: what it draws from a state that no step changes is the same in all of them. */
export function isWithinScan(): boolean {
  return depth > 0;
}

/** What `make` gives, within a step of a scan. Building a graph is synchronous. */
export function asStep<Result>(make: () => Result): Result {
  depth += 1;
  try {
    return make();
  } finally {
    depth -= 1;
  }
}

/** How many scans are being made of which each is within the one before. */
let depth = 0;
