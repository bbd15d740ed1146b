/**
 * `deno task docs`: writes docs/commands/ from the commands' own help, so that both say the same; a test
 * fails where they differ.
 */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
// The pages are made of the commands themselves: the one place beside tests that may look at them.
// deno-lint-ignore heartline/imports-one-way
import { verbs } from "../cli/catalogue.ts";
// deno-lint-ignore heartline/imports-one-way
import { buildProgram } from "../cli/program.ts";

const directory = fileURLToPath(new URL("../docs/commands/", import.meta.url));

/** The pages by file name. */
export async function commandPages(): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  const list = verbs.map(({ name, summary }) => `- [heartline ${name}](${name}.md): ${summary}`).join("\n");
  const overview = helpOf(await buildProgram([]));
  pages.set("README.md", `# Commands\n\n${list}\n\n\`\`\`\n${overview}\n\`\`\`\n`);
  for (const { name } of verbs) {
    const program = await buildProgram([name]);
    const command = program.commands.find((each) => each.name() === name)!;
    pages.set(`${name}.md`, `# heartline ${name}\n\n${sections(command, "heartline").join("\n\n")}\n`);
  }
  return pages;
}

/** The help of a command and of its sub-commands, each in a block of its own. */
function sections(command: CommandUnknownOpts, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  const visible = command.createHelp().visibleCommands(command).filter((child) => child.name() !== "help");
  const children = visible.flatMap((child) => [
    `## ${name} ${child.name()}`,
    ...sections(child, name),
  ]);
  return [`\`\`\`\n${helpOf(command)}\n\`\`\``, ...children];
}

/** As `--help` prints it on a terminal of 80 columns. */
function helpOf(command: CommandUnknownOpts): string {
  let text = "";
  command.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
    getOutHelpWidth: () => 80,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd();
}

if (import.meta.main) {
  const pages = await commandPages();
  mkdirSync(directory, { recursive: true });
  for (const name of readdirSync(directory)) if (!pages.has(name)) rmSync(directory + name);
  for (const [name, text] of pages) writeFileSync(directory + name, text);
}
