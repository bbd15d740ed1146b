/**
 * Completion scripts, made from the commands themselves: what `--help` does not know is not completed, and nothing
 * that it knows is missing. Names of groups are asked of the daemon when they are wanted.
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";

export type Shell = "bash" | "zsh" | "fish";

/** One command with what may follow it. */
interface Entry {
  /** Words that lead to it, without the program's name: `arp announce`; empty for the program itself. */
  readonly path: string;
  readonly words: ReadonlyArray<readonly [word: string, meaning: string]>;
  readonly options: ReadonlyArray<readonly [flag: string, meaning: string, takesValue: boolean]>;
  readonly takesGroups: boolean;
}

export function completionScript(shell: Shell, program: CommandUnknownOpts): string {
  const entries = entriesOf(program, "");
  return { bash, zsh, fish }[shell](entries);
}

function entriesOf(command: CommandUnknownOpts, path: string): Entry[] {
  const children = command.createHelp().visibleCommands(command).filter((child) => child.name() !== "help");
  const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  const own: Entry = {
    path,
    words: [
      ...children.map((child) => [child.name(), child.summary() || firstLine(child.description())] as const),
      ...choices.map((choice) => [choice, ""] as const),
    ],
    options: [
      ...command.options.filter((option) => option.long && !option.hidden)
        .map((option) =>
          [option.long!, firstLine(option.description), option.required || option.optional] as const
        ),
      ["--help", "print this help", false],
    ],
    takesGroups: command.registeredArguments.some((argument) => argument.name() === "group"),
  };
  return [own, ...children.flatMap((child) => entriesOf(child, `${path} ${child.name()}`.trim()))];
}

function bash(entries: readonly Entry[]): string {
  return `# bash completion for heartline
_heartline() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path="" words="" options="" values="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${path:+$path }\${COMP_WORDS[i]}" in
      ${
    entries.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`).join("|")
  }) path="\${path:+$path }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
${
    entries.map(({ path, words, options, takesGroups }) => {
      const flags = options.map(([flag]) => flag).join(" ");
      const values = options.filter(([, , takesValue]) => takesValue).map(([flag]) => flag).join(" ");
      const groups = takesGroups ? ' words="$(heartline completions groups 2>/dev/null)"' : "";
      return `    "${path}") words="${
        words.map(([word]) => word).join(" ")
      }"; options="${flags}"; values=" ${values} ";${groups} ;;`;
    }).join("\n")
  }
  esac
  COMPREPLY=()
  if [[ $values == *" $previous "* ]]; then COMPREPLY=($(compgen -f -- "$current"))
  elif [[ $current == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -n $words ]]; then COMPREPLY=($(compgen -W "$words" -- "$current"))
  else COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _heartline heartline
`;
}

function zsh(entries: readonly Entry[]): string {
  const item = (word: string, meaning: string) =>
    single(`${word.replaceAll(":", "\\:")}${meaning ? `:${meaning}` : ""}`);
  // Not `path`: in zsh that is the search path.
  return `#compdef heartline
_heartline() {
  local verb="" i
  local -a items flags
  for ((i = 2; i < CURRENT; i++)); do
    case "\${verb:+$verb }\${words[i]}" in
      ${
    entries.filter(({ path }) => path !== "").map(({ path }) => single(path)).join("|")
  }) verb="\${verb:+$verb }\${words[i]}" ;;
    esac
  done
  case "$verb" in
${
    entries.map(({ path, words, options, takesGroups }) => {
      const items = takesGroups
        ? 'items=(\${\${(f)"\$(heartline completions groups 2>/dev/null)"}//:/\\\\:})'
        : `items=(${words.map(([word, meaning]) => item(word, meaning)).join(" ")})`;
      return `    ${single(path)}) ${items}; flags=(${
        options.map(([flag, meaning]) => item(flag, meaning)).join(" ")
      }) ;;`;
    }).join("\n")
  }
  esac
  if [[ $PREFIX == -* ]]; then _describe option flags
  elif (( $#items )); then _describe argument items
  else _files; fi
}
_heartline "$@"
`;
}

function fish(entries: readonly Entry[]): string {
  const lines = ["# fish completion for heartline", "complete -c heartline -f"];
  for (const { path, words, options, takesGroups } of entries) {
    const names = path.split(" ").filter((name) => name !== "");
    const rest = words.map(([word]) => word).filter((word) =>
      entries.some((entry) => entry.path === `${path} ${word}`.trim())
    );
    const conditions = names.map((name) => `__fish_seen_subcommand_from ${name}`);
    if (rest.length > 0) conditions.push(`not __fish_seen_subcommand_from ${rest.join(" ")}`);
    const when = conditions.length === 0 ? "" : ` -n ${single(conditions.join("; and "))}`;
    for (const [word, meaning] of words) {
      lines.push(`complete -c heartline${when} -a ${single(word)}${meaning ? ` -d ${single(meaning)}` : ""}`);
    }
    if (takesGroups) {
      lines.push(`complete -c heartline${when} -a '(heartline completions groups 2>/dev/null)'`);
    }
    for (const [flag, meaning, takesValue] of options) {
      lines.push(
        `complete -c heartline${when} -l ${flag.slice(2)}${takesValue ? " -r -F" : ""} -d ${single(meaning)}`,
      );
    }
  }
  return lines.join("\n") + "\n";
}

function single(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
