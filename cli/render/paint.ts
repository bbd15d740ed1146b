/**
 * Colour, where it helps. Decides from the stream and NO_COLOR whether there is any; chalk is loaded only then.
 * Must never be the only sign of anything: what is wrong is said in words.
 */

export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  doubtful(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

const asIs = (text: string) => text;

export const plainPaint: Paint = { good: asIs, bad: asIs, doubtful: asIs, strong: asIs, faint: asIs };

/** Colours for a terminal; none for a file, a pipe, a dumb terminal, or where NO_COLOR is set (no-color.org). */
export async function paintFor(
  stream: { readonly isTTY?: boolean },
  environment = process.env,
): Promise<Paint> {
  if (!stream.isTTY || environment.NO_COLOR || environment.TERM === "dumb") return plainPaint;
  const { Chalk } = await import("chalk");
  const chalk = new Chalk({ level: 1 });
  return {
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red.bold(text),
    doubtful: (text) => chalk.yellow(text),
    strong: (text) => chalk.bold(text),
    faint: (text) => chalk.dim(text),
  };
}
