/** What the command line refuses, in which words and with which exit code; and its help. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { verbs } from "../../cli/catalogue.ts";
import { chooseSource } from "../../cli/commands/peer.ts";
import { describeFailure } from "../../cli/failures.ts";
import { buildProgram } from "../../cli/program.ts";
import { EnvironmentError, InvariantError, UsageError } from "../../lib/errors.ts";
import { version } from "../../lib/version.ts";
import { heartline, sources } from "./run.ts";

const nowhere = "/nonexistent/heartline.sock";

const refusals: ReadonlyArray<readonly [args: readonly string[], code: number, stderr: RegExp]> = [
  [["statsu"], 2, /^heartline: unknown command "statsu"; did you mean "status"\?\n$/],
  [["xyzzy"], 2, /^heartline: unknown command "xyzzy"; see --help\n$/],
  [["--verison"], 2, /unknown option "--verison"; did you mean "--version"\?/],
  [["status", "--jsn"], 2, /unknown option "--jsn"; did you mean "--json"\?/],
  [["status", "web"], 2, /too many arguments/],
  [["detect", "--vip", "a\x1b[2Jb\nc"], 2, /^heartline: Cannot use --vip "ab c": it is no IP address; .*\n$/],
  [["status", "--timeout"], 2, /option "--timeout <time>" argument missing/],
  [["status", "--timeout", "5x"], 2, /"5x" has the unknown unit "x": write a number with a unit/],
  [["status", "--timeout", "0s"], 2, /must be longer than nothing/],
  [["status", "--socket", ""], 2, /It is empty/],
  [["takeover", "--wat"], 2, /unknown option "--wat"/],
  [["maintenance"], 2, /missing required argument "state"/],
  [["maintenance", "onn"], 2, /"onn" is invalid for argument "state". Allowed choices are on, off/],
  [["history", "--since", "yesterday"], 2, /Write a length of time \(10m, 2h\) or a date and time/],
  [["completions", "csh"], 2, /Allowed choices are bash, zsh, fish/],
  [["peer", "--config", "a", "--ha-dir", "b"], 2, /Cannot read both --config and --ha-dir/],
  [
    ["peer", "--config", "/nonexistent/heartline.yaml"],
    78,
    /Cannot start: .*\n.*\/nonexistent\/heartline.yaml/,
  ],
  [
    ["status", "--socket", nowhere],
    69,
    /Cannot ask the daemon at ".*": no daemon runs there; start it \(systemctl start/,
  ],
  [["takeover", "--socket", nowhere], 69, /no daemon runs there/],
  [["maintenance", "on", "--socket", nowhere], 69, /no daemon runs there/],
  [["history", "--socket", nowhere], 69, /no daemon runs there/],
  [[], 2, /^Usage: heartline/],
];
for (const [args, code, stderr] of refusals) {
  Deno.test(`heartline ${args.join(" ")} ends with ${code} and says why`, async () => {
    const ended = await heartline(args);
    assert.match(ended.stderr, stderr);
    assert.equal(ended.code, code);
    assert.equal(ended.stdout, "");
  });
}

Deno.test("--version prints one line", async () => {
  assert.deepEqual(await heartline(["--version"]), { code: 0, stdout: `heartline ${version}\n`, stderr: "" });
});

Deno.test("help of a command is the same by --help and by help COMMAND", async () => {
  const [byOption, byCommand] = await Promise.all([
    heartline(["status", "--help"]),
    heartline(["help", "status"]),
  ]);
  assert.equal(byOption.code, 0);
  assert.match(byOption.stdout, /--watch \[interval\]/);
  assert.deepEqual(byCommand, byOption);
});

/** What `--help` prints on a terminal of 80 columns. */
async function helpOf(path: readonly string[]): Promise<string> {
  const program = await buildProgram([...path, "--help"]);
  let text = "";
  const listen = (command: CommandUnknownOpts) => {
    command.configureOutput({
      writeOut: (part) => text += part,
      getOutHelpWidth: () => 80,
      outputError: () => {},
    });
    command.commands.forEach(listen);
  };
  listen(program);
  await assert.rejects(program.parseAsync([...path, "--help"], { from: "user" }), CommanderError);
  return text;
}

/** All commands that the help shows. */
async function allPaths(): Promise<string[][]> {
  const paths: string[][] = [[]];
  for (const verb of verbs) {
    const command = await verb.load();
    paths.push([verb.name]);
    const shown = command.createHelp().visibleCommands(command).map((child) => child.name());
    for (const name of shown) if (name !== "help") paths.push([verb.name, name]);
  }
  return paths;
}

Deno.test("every help fits 80 columns and shows how the command is used", async () => {
  for (const path of await allPaths()) {
    const help = await helpOf(path);
    const title = `heartline ${path.join(" ")}`.trim();
    assert.ok(help.startsWith(`Usage: ${title}`), help);
    assert.match(help, /\nExamples?:\n/, `${title} --help has no examples`);
    for (const line of help.split("\n")) {
      assert.ok(line.length <= 80, `${title} --help: ${line.length} columns: ${line}`);
    }
  }
});

Deno.test("the list of commands has every command with its summary", async () => {
  const help = await helpOf([]);
  for (const verb of verbs) {
    assert.match(help, new RegExp(`^  ${verb.name} +${escape(verb.summary.slice(0, 20))}`, "m"));
  }
});

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

Deno.test("each family of errors has its exit code and its form", () => {
  const cases: ReadonlyArray<readonly [error: unknown, code: number, message: RegExp]> = [
    [new UsageError(["one", "two"]), 2, /^heartline: one\nheartline: two$/],
    [new UsageError(["bad file"], 78), 78, /^heartline: bad file$/],
    [new EnvironmentError("Cannot do X: gone"), 69, /^heartline: Cannot do X: gone$/],
    [new EnvironmentError("Cannot do X: denied", 77), 77, /^heartline: Cannot do X: denied$/],
    [new EnvironmentError("Cannot do X: late", 124), 124, /^heartline: Cannot do X: late$/],
    [
      new InvariantError("no holder"),
      70,
      /^BUG: no holder\nThis is a mistake in heartline; HEARTLINE_DEBUG=1/,
    ],
    [new TypeError("x is undefined"), 70, /^BUG: x is undefined\n/],
    ["a string", 70, /^BUG: a string\n/],
    [undefined, 70, /^BUG: undefined\n/],
  ];
  for (const [error, exitCode, pattern] of cases) {
    const failure = describeFailure(error, false);
    assert.equal(failure.exitCode, exitCode);
    assert.match(failure.message, pattern);
    assert.ok(!failure.message.includes("arguments_test.ts"), "no stack unless asked for");
  }
  assert.match(describeFailure(new InvariantError("x"), true).message, /arguments_test\.ts/);
  const withCause = new EnvironmentError("Cannot do X", 69, { cause: new Error("the cause") });
  assert.match(describeFailure(withCause, true).message, /the cause[\s\S]*arguments_test\.ts/);
});

Deno.test("peer reads what was named, else the first usual place that exists, else names both", () => {
  const yaml = "/etc/heartline/heartline.yaml";
  const cases = [
    ["x.yaml", undefined, [], { configFile: "x.yaml" }],
    [undefined, "/ha", [yaml], { haDirectory: "/ha" }],
    [undefined, undefined, [yaml, "/etc/ha.d/ha.cf"], { configFile: yaml }],
    [undefined, undefined, ["/etc/ha.d/ha.cf"], { haDirectory: "/etc/ha.d" }],
  ] as const;
  for (const [config, haDir, present, expected] of cases) {
    const exists = (path: string) => (present as readonly string[]).includes(path);
    assert.deepEqual(chooseSource(config, haDir, exists), expected);
  }
  assert.throws(
    () => chooseSource(undefined, undefined, () => false),
    (error) =>
      error instanceof UsageError && error.exitCode === 78 &&
      /neither \/etc\/heartline\/heartline\.yaml nor \/etc\/ha\.d\/ha\.cf/.test(error.message),
  );
});

Deno.test("an output that the disk has no room for is a failure, not a success", () => {
  const toFullDisk = (...args: string[]) =>
    spawnSync("sh", ["-c", '"$@" >/dev/full', "sh", process.execPath, ...sources, ...args], {
      encoding: "utf8",
    });
  for (const args of [["--version"], ["simulate", "list"], ["detect", "--vip", "192.0.2.77", "--local"]]) {
    const { status, stderr } = toFullDisk(...args);
    assert.deepEqual([status, stderr], [69, "heartline: Cannot write the output: the disk is full\n"]);
  }
  assert.equal(toFullDisk("detect", "--vip", "192.0.2.77", "--local", "--nagios").status, 3);
});
