/** `heartline simulate list`: the scenarios that come with the program, and the file of one to begin from. */

import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { examples, jsonOption } from "../../options.ts";

/** Of the JSON output. */
const schema = 1;

export function listCommand() {
  return new Command("list")
    .summary("the scenarios that come with heartline; with a name, its file")
    .description(
      "Lists the scenarios that come with heartline, one for each known cause of split brain. With a name it prints " +
        "the file, to begin one of your own from.",
    )
    .argument("[name]", "print the file of this scenario")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples([
        ["heartline simulate list", "names, and what each is about"],
        ["heartline simulate list flapping-link > mine.yaml", "a file to begin from"],
      ]),
    )
    .action(async (name, options) => {
      const { library } = await import("../../../lib/sim/library/library.ts");
      const { suggestion } = await import("../../../lib/config/spelling.ts");
      if (name !== undefined) {
        const text = library.get(name);
        if (text === undefined) {
          const { UsageError } = await import("../../../lib/errors.ts");
          throw new UsageError([`there is no scenario "${name}": ${suggestion(name, library.keys())}`]);
        }
        process.stdout.write(text);
        return;
      }
      const { aboutOf } = await import("../../../lib/sim/scenario/parse.ts");
      const all = [...library].map(([name, text]) => ({ name, about: aboutOf(text) }));
      if (options.json) {
        const { printJson } = await import("../../control.ts");
        return printJson({ schema, scenarios: all });
      }
      const { renderTable } = await import("../../render/table.ts");
      const rows = all.map(({ name, about }) => [name, about]);
      process.stdout.write(renderTable(rows, { width: 80, indent: 0, widthsMax: [26] }).join("\n") + "\n");
    });
}
