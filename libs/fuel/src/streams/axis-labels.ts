/** What the axes of each source mean in an example, of what they mean in a batch; null when unknown. */
export function withoutBatchAxis(
  axisLabels: ReadonlyMap<string, readonly string[]> | null,
): ReadonlyMap<string, readonly string[]> | null {
  return axisLabels && new Map([...axisLabels].map(([source, labels]) => [source, labels.slice(1)]));
}
