/** The fields of a `/proc/<pid>/stat` from the third (state) on; the second, the name, may hold spaces and brackets. */
export function statFieldsIn(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Where in them stands when the process was started, in clock ticks from boot. */
export const STARTED_FIELD = 19;
