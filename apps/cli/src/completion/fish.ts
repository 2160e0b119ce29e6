import type { CommandEntry, OptionEntry } from './command-table.js';

/** What fish sources: commands and options are in it, only ids and names are asked for. */
export function fishCompletion(table: readonly CommandEntry[]): string {
  const valued = table.flatMap(({ path, options }) =>
    options.filter(({ value }) => value !== undefined).flatMap(({ flags }) => flags.map((flag) => `${path}:${flag}`)),
  );
  const commands = table.flatMap(({ path, commands: names }) => names.map(({ name }) => `${path}:${name}`));
  return `# fish completion of longrun: longrun completion fish | source
function __longrun_is_at
    set -l path ''
    set -l skips 0
    for word in (commandline -opc)[2..]
        if test $skips -eq 1
            set skips 0
        else if contains -- "$path:$word" ${valued.map(quoted).join(' ')}
            set skips 1
        else if contains -- "$path:$word" ${commands.map(quoted).join(' ')}
            set path (string trim -- "$path $word")
        end
    end
    test "$path" = "$argv"
end
function __longrun_known
    set -l where
    set -l words (commandline -opc)
    for option in --state --server
        set -l at (contains -i -- $option $words); and set -a where $option $words[(math $at + 1)]
    end
    longrun $where complete $argv -- (commandline -ct) 2>/dev/null
end
${table.flatMap(entryLines).join('\n')}`;
}

function entryLines({ path, commands, options, completes }: CommandEntry): string[] {
  const at = `complete -c longrun -n ${quoted(`__longrun_is_at ${quoted(path)}`)}`;
  return [
    ...commands.map(({ name, description }) => `${at} -f -a ${name} -d ${quoted(description)}`),
    ...(completes === undefined
      ? []
      : [
          `${at} -f -a '(__longrun_known ${completes})'`,
          `${at} -l latest -d 'the newest experiment, in the place of an id'`,
        ]),
    ...options.map((option) => `${at}${optionWords(option)}`),
  ];
}

function optionWords({ flags, description, value }: OptionEntry): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? ` -l ${flag.slice(2)}` : ` -s ${flag.slice(1)}`)).join('');
  const about = ` -d ${quoted(description)}`;
  if (value === undefined) return names + about;
  if (value === 'any') return `${names} -r${about}`;
  return `${names} -x -a ${quoted(typeof value === 'string' ? `(__longrun_known ${value})` : value.join(' '))}${about}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
}
