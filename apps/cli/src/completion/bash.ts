import type { CommandEntry, OptionEntry } from './command-table.js';

/** What bash sources: commands and options are in it, only ids and names are asked for. */
export function bashCompletion(table: readonly CommandEntry[]): string {
  const valued = table.flatMap(valuedOptions);
  const commands = table.flatMap(({ path, commands: below }) => below.map(({ name }) => `${path}:${name}`));
  return `# bash completion of longrun: source <(longrun completion bash)
_longrun() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local path='' words='' dashed='' known='' word given i
  for ((i = 1; i < COMP_CWORD; i += 1)); do
    word=\${COMP_WORDS[i]}
    case $path:$word in
      ${alternatives(valued.map(({ place }) => place))}) i=$((i + 1)) ;;
      ${alternatives(commands)}) path=\${path:+$path }$word ;;
    esac
  done
  case $path:$prev in
    # Of what they can be nothing is known but that files have names.
    ${alternatives(valued.filter(({ option }) => option.value === 'any').map(({ place }) => place))}) return ;;
${valued
  .filter(({ option }) => option.value !== 'any')
  .map(valueCase)
  .join('\n')}
    *)
      case $path in
${table.map(commandCase).join('\n')}
      esac
      [[ $cur == -* ]] && words=$dashed known=''
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [[ -z $known ]] && return
  local where=()
  for word in --state --server; do
    case $COMP_LINE in
      *" $word"[=\\ ]*)
        given=\${COMP_LINE#*" $word"?}
        where+=("$word" "\${given%% *}")
        ;;
    esac
  done
  for word in $(longrun "\${where[@]}" complete "$known" -- "$cur" 2> /dev/null); do COMPREPLY+=("$word"); done
}
complete -o default -F _longrun longrun`;
}

/** What zsh sources: it runs what bash does. */
export function zshCompletion(table: readonly CommandEntry[]): string {
  return `# zsh completion of longrun: source <(longrun completion zsh)
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
autoload -Uz bashcompinit && bashcompinit
${bashCompletion(table).replace(/^.*\n/, '')}`;
}

function valuedOptions({ path, options }: CommandEntry): { readonly place: string; readonly option: OptionEntry }[] {
  return options
    .filter(({ value }) => value !== undefined)
    .flatMap((option) => option.flags.map((flag) => ({ place: `${path}:${flag}`, option })));
}

function valueCase({ place, option: { value } }: { readonly place: string; readonly option: OptionEntry }): string {
  return `    '${place}') ${typeof value === 'string' ? `known=${value}` : `words='${value?.join(' ')}'`} ;;`;
}

function commandCase({ path, commands, options, completes }: CommandEntry): string {
  const flags = options.flatMap((option) => option.flags);
  const dashed = [...flags, ...(completes === undefined ? [] : ['--latest'])].join(' ');
  const plain = commands.map(({ name }) => name).join(' ');
  const own = completes === undefined ? '' : ` known=${completes}`;
  return `        '${path}') words='${plain}' dashed='${dashed}'${own} ;;`;
}

function alternatives(places: readonly string[]): string {
  return places.map((place) => `'${place}'`).join(' | ');
}
