import { Argument, Command } from "@commander-js/extra-typings";
import { withDaemon } from "../control.ts";
import { examples, socketOption } from "../options.ts";

/** `heartline completions`: from the same commands and options that `--help` shows. */
export function completionsCommand() {
  return new Command("completions")
    .description("Prints the script that completes commands, options and group names in a shell.")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish", "groups"] as const))
    .addOption(socketOption())
    .addHelpText(
      "after",
      examples([
        ["heartline completions bash > /etc/bash_completion.d/heartline", ""],
        ['heartline completions zsh > "${fpath[1]}/_heartline"', ""],
        ["heartline completions fish > ~/.config/fish/completions/heartline.fish", ""],
        ["heartline completions groups", "names of groups, for the scripts"],
      ]),
    )
    .action(async (shell, options) => {
      if (shell === "groups") {
        const names = await withDaemon(
          options.socket,
          1000,
          async (client) => (await client.status()).result.groups,
        );
        process.stdout.write(names.map(({ group }) => `${group}\n`).join(""));
        return;
      }
      const [{ buildWholeProgram }, { completionScript }] = await Promise.all([
        import("../program.ts"),
        import("../render/completion_scripts.ts"),
      ]);
      process.stdout.write(completionScript(shell, await buildWholeProgram()));
    });
}
