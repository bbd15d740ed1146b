/** What keeps a command from using a configuration, as the sentences of its refusal. Pure. */

import type { Problem } from "../lib/config/load.ts";

/** More hide the first; `config check` shows all. */
const errorsMax = 10;

/** Each error with its place and the next step. */
export function settingsErrors(problems: readonly Problem[]): string[] {
  const errors = problems.filter(({ severity }) => severity === "error");
  const left = errors.length - errorsMax;
  const more = left <= 0
    ? []
    : [`and ${left} more errors; heartline config check ${errors[0]!.file} shows all`];
  return [
    ...errors.slice(0, errorsMax).map(({ file, line, message, hint }) =>
      `${file}${line > 0 ? `:${line}` : ""}: ${message}${hint === undefined ? "" : `; ${hint}`}`
    ),
    ...more,
  ];
}
