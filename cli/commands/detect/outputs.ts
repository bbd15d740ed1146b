/** Where the result of a check goes besides the terminal, read from the options. Collects all problems. */

import { parseRange, type Range } from "../../render/nagios.ts";
import type { DetectOptions } from "../detect.ts";

export interface Outputs {
  readonly form: "text" | "json" | "nagios";
  readonly isVerbose: boolean;
  /** On the number of holders of each address. */
  readonly warning: Range | null;
  readonly critical: Range | null;
  readonly textfile: string | null;
  readonly stateFile: string | null;
  readonly repeatMs: number | null;
  readonly onCritical: string | null;
  readonly mail: string | null;
  readonly webhook: string | null;
}

export function readOutputs(options: DetectOptions, problems: string[]): Outputs {
  const { json, nagios, textfile, state, repeat, mail, webhook } = options;
  if (json === true && nagios === true) {
    problems.push("Cannot print both --json and --nagios: each is a form of its own; choose one");
  }
  if (nagios !== true && (options.warning ?? options.critical) !== undefined) {
    problems.push("Cannot use -w or -c: they are thresholds of --nagios; add it, or leave them out");
  }
  if (textfile !== undefined && !textfile.endsWith(".prom")) {
    problems.push(
      `Cannot use --textfile "${textfile}": the collector reads only names that end in .prom; ` +
        `write "${textfile}.prom"`,
    );
  }
  if (repeat !== undefined && state === undefined) {
    problems.push("Cannot use --repeat: nothing remembers when it was told last; add --state FILE");
  }
  // deno-lint-ignore no-control-regex
  if (mail !== undefined && !/^[^\s,;<>\x00-\x1f\x7f-][^\s,;<>\x00-\x1f\x7f]*$/.test(mail)) {
    problems.push(`Cannot mail to "${mail}": one address such as root or ops@example.org is expected`);
  }
  if (webhook !== undefined && !(/^https?:\/\//i.test(webhook) && URL.canParse(webhook))) {
    problems.push(`Cannot use --webhook "${webhook}": an http:// or https:// URL is expected`);
  }
  return {
    form: json === true ? "json" : nagios === true ? "nagios" : "text",
    isVerbose: options.verbose === true,
    warning: readRange("-w", options.warning, problems),
    critical: readRange("-c", options.critical, problems),
    textfile: textfile ?? null,
    stateFile: state ?? null,
    repeatMs: repeat ?? null,
    onCritical: options.onCritical ?? null,
    mail: mail ?? null,
    webhook: webhook ?? null,
  };
}

function readRange(flag: string, text: string | undefined, problems: string[]): Range | null {
  if (text === undefined) return null;
  const range = parseRange(text);
  if (range === null) {
    problems.push(`Cannot use ${flag} "${text}": a range such as 1:1, @2:9 or 10 is expected`);
  }
  return range;
}
