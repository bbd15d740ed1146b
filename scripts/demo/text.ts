/**
 * Colour and line breaks for the demo's text. PURE but for the look at the environment, which decides whether there
 * is colour at all. Colour only repeats what words and shapes say.
 */

import stringWidth from "string-width";

/** Everything fits this. */
export const WIDTH = 80;

export type Tone = "plain" | "good" | "bad" | "doubtful" | "strong" | "faint";
export type Paint = (tone: Tone, text: string) => string;

export const plainPaint: Paint = (_tone, text) => text;

/** None for a file, a pipe, a dumb terminal, or where NO_COLOR is set (no-color.org). */
export async function paintFor(isTerminal: boolean, environment = process.env): Promise<Paint> {
  if (!isTerminal || environment.NO_COLOR || environment.TERM === "dumb") return plainPaint;
  const { Chalk } = await import("chalk");
  const chalk = new Chalk({ level: 1 });
  const tones: Readonly<Record<Tone, (text: string) => string>> = {
    plain: (text) => text,
    good: chalk.green,
    bad: chalk.red.bold,
    doubtful: chalk.yellow,
    strong: chalk.bold,
    faint: chalk.dim,
  };
  return (tone, text) => tones[tone](text);
}

/** Lines of at most `WIDTH` columns, broken at blanks; those after the first are indented by `indent`. */
export function hang(text: string, indent: number): string[] {
  const lines: string[] = [];
  // The blanks at its begin stay with the first word.
  let line = /^ */.exec(text)?.[0] ?? "";
  let isEmpty = true;
  for (const word of text.trimStart().split(" ")) {
    if (!isEmpty && stringWidth(line) + 1 + stringWidth(word) > WIDTH) {
      lines.push(line);
      line = " ".repeat(indent);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** Blanks after it up to so many columns. */
export function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - stringWidth(text)));
}
