/** What stands after `?` in an address; what is undefined is left out. */
export function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) words.set(name, String(value));
  return words.toString();
}
