/**
 * Problems of configuration files as people read them: `file:line:col: error: message`, the line with a caret under
 * the cause, and the hint. Decides nothing; the texts it gets have their secrets masked.
 */

import type { ChalkInstance } from "chalk";
import type { Problem, Severity, Source } from "../../lib/config/load.ts";

/** A longer line is shown around the caret only. */
const lineColumnsMax = 110;

export function renderProblems(
  problems: readonly Problem[],
  sources: readonly Source[],
  chalk: ChalkInstance,
): string {
  const texts = new Map(sources.map((source) => [source.file, source.text.split("\n")]));
  return problems.map((problem) => renderProblem(problem, texts.get(problem.file)?.[problem.line - 1], chalk))
    .join("");
}

/** `2 errors, 1 warning, 3 notes`; `no problems` where there are none. */
export function countsOf(problems: readonly Problem[]): string {
  const counted = (["error", "warning", "note"] as const)
    .map((severity) =>
      [problems.filter((problem) => problem.severity === severity).length, severity] as const
    )
    .filter(([count]) => count > 0)
    .map(([count, severity]) => `${count} ${severity}${count === 1 ? "" : "s"}`);
  return counted.length === 0 ? "no problems" : counted.join(", ");
}

function renderProblem(problem: Problem, line: string | undefined, chalk: ChalkInstance): string {
  const colours: Record<Severity, (text: string) => string> = {
    error: chalk.red.bold,
    warning: chalk.yellow.bold,
    note: chalk.cyan.bold,
  };
  const colour = colours[problem.severity];
  const where = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  let text = `${chalk.bold(where)}: ${colour(`${problem.severity}:`)} ${printable(problem.message)}\n`;
  if (line !== undefined && problem.line > 0) text += excerpt(problem, line.replace(/\r$/, ""), colour);
  if (problem.hint !== undefined) text += `  ${chalk.dim("hint:")} ${printable(problem.hint)}\n`;
  return text;
}

function excerpt(problem: Problem, line: string, colour: (text: string) => string): string {
  const at = problem.column - 1;
  const from = line.length <= lineColumnsMax ? 0 : Math.max(0, at - Math.floor(lineColumnsMax / 3));
  const shown = printable(line.slice(from, from + lineColumnsMax));
  const lead = (from > 0 ? "…" : "") + shown;
  const before = (from > 0 ? "…" : "") + shown.slice(0, at - from);
  const length = Math.max(1, Math.min(problem.length, shown.length - (at - from)));
  // Tabs stay tabs, so that the caret stands where the terminal puts the word.
  const indent = before.replaceAll(/[^\t]/g, " ");
  return `    ${lead}\n    ${indent}${colour("^" + "~".repeat(length - 1))}\n`;
}

/** A file may hold anything: nothing in it may steer the terminal. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, "�");
}
