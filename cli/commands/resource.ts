/**
 * `heartline resource`: operates resources from a shell, with the same runners as the daemon. Decides what the words
 * on the command line mean and how the results look; knows nothing about how a resource is operated.
 */

import { hostname } from "node:os";
import process from "node:process";
import { Command, Option } from "@commander-js/extra-typings";
import type { ResourceSettings, Settings } from "../../lib/core/settings.ts";
import type { OperateOptions, StepResult, Verb } from "../../lib/resources/operate.ts";
import { UsageError } from "../../lib/errors.ts";
import { duration, examples, jsonOption, nonEmpty } from "../options.ts";
import { Waiting } from "../render/waiting.ts";

/** Version of what `--json` prints. */
const schema = 1;

/** Lines of a failed program's output that are shown. */
const SHOWN_LINES_MAX = 10;

interface Options {
  readonly group?: string | undefined;
  readonly config?: string | undefined;
  readonly haDir?: string | undefined;
  readonly timeout?: number | undefined;
  readonly dryRun?: true | undefined;
  readonly json?: true | undefined;
}

const texts: Readonly<Record<Verb, string>> = {
  start: "Starts resources, from left to right; what runs already is left alone.",
  stop: "Stops resources, from right to left; what is stopped already is left alone.",
  restart: "Stops resources from right to left, then starts them from left to right.",
  status: "Tells whether resources run; changes nothing.",
  monitor: "The same as status: OCF's word for it.",
};

export function resourceCommand() {
  const command = new Command("resource")
    .description(
      "Starts, stops and checks resources by hand, with the same runners as the daemon.\n" +
        "A daemon that holds the group puts right what it finds changed: set maintenance on before.",
    )
    .addHelpText("after", notes);
  for (const verb of Object.keys(texts) as Verb[]) command.addCommand(verbCommand(verb));
  return command;
}

function verbCommand(verb: Verb) {
  return new Command(verb)
    .description(texts[verb])
    .argument("[spec...]", "what to operate; several, or parameters as NAME=VALUE, may follow each other")
    .addOption(
      new Option("--group <name>", "all resources of a configured group instead").argParser(nonEmpty),
    )
    .addOption(new Option("--config <file>", "the heartline.yaml that has the group").argParser(nonEmpty))
    .addOption(
      new Option("--ha-dir <dir>", "the directory with the ha.cf and haresources that have the group")
        .argParser(nonEmpty).conflicts("config"),
    )
    .addOption(new Option("--timeout <time>", "how long all of it may take").argParser(duration))
    .option("--dry-run", "print what would be done, and do nothing")
    .addOption(jsonOption())
    .addHelpText("after", notes)
    .action((words, options) => run(verb, words, options));
}

async function run(verb: Verb, words: readonly string[], options: Options): Promise<void> {
  const [{ describeStep, exitCodeOf, operate, stepsOf, isDone }, { runnerFor }] = await Promise.all([
    import("../../lib/resources/operate.ts"),
    import("../../lib/resources/registry.ts"),
  ]);
  const { resources, context } = await chosen(words, options);
  const steps = stepsOf(verb, resources);
  const plan: OperateOptions = { limitMs: options.timeout ?? null, context, runnerFor };

  if (options.dryRun) {
    const actions: string[] = [];
    for (const step of steps) actions.push(await describeStep(step, plan));
    if (options.json) {
      const planned = steps.map(({ resource, operation }, i) => ({
        id: resource.id,
        operation,
        action: actions[i],
      }));
      printJson({ schema, verb, dryRun: true, steps: planned });
    } else for (const action of actions) print(action);
    return;
  }

  const progress = new Waiting(!options.json && process.stderr.isTTY === true);
  const results = await operate(steps, {
    ...plan,
    begins: (step) => progress.begin(`${step.resource.id}: ${step.operation}`),
    ended: (result) => {
      progress.end();
      if (!options.json) show(result, isDone(result));
    },
  });
  const exitCode = exitCodeOf(results);
  if (options.json) {
    const resources = results.map(({ resource, operation, outcome }) => {
      const { kind: _, ...facts } = outcome;
      return { id: resource.id, kind: resource.spec.kind, operation, ...facts };
    });
    printJson({ schema, verb, group: options.group ?? null, exitCode, resources });
  } else if (results.length < steps.length) {
    const left = steps.slice(results.length).map((step) => `${step.operation} "${step.resource.id}"`).join(
      ", ",
    );
    process.stderr.write(`heartline: not done because of that: ${left}\n`);
  }
  process.exitCode = exitCode;

  progress.begin("announcing");
  for (const kind of new Set(results.map(({ resource }) => resource.spec.kind))) {
    await (await runnerFor(kind)).finish?.();
  }
  progress.end();
}

/** The resources that are meant, and the surroundings that their programs get. */
async function chosen(words: readonly string[], options: Options) {
  if (options.group === undefined) {
    const named = options.config !== undefined || options.haDir !== undefined;
    if (words.length === 0) {
      throw new UsageError(["Cannot tell which resource: none is named; write a SPEC, or --group NAME"]);
    }
    if (named) {
      throw new UsageError(["Cannot use a configuration: no group of it is named; add --group NAME"]);
    }
    return await fromWords(words);
  }
  if (words.length > 0) {
    throw new UsageError([
      `Cannot operate both group "${options.group}" and "${words[0]}": write one of them`,
    ]);
  }
  return await fromConfiguration(options.group, options);
}

async function fromWords(words: readonly string[]) {
  const [{ parseResourceSpec }, defaults] = await Promise.all([
    import("../../lib/config/resource_spec.ts"),
    import("../../lib/config/defaults.ts"),
  ]);
  const problems: string[] = [];
  const resources: ResourceSettings[] = [];
  for (const id of joined(words)) {
    const parsed = parseResourceSpec(id);
    for (const { severity, message, hint } of parsed.problems) {
      const text = `${message}${hint === undefined ? "" : `; ${hint}`}`;
      if (severity === "error") problems.push(`Cannot read resource '${id}': ${text}`);
      else process.stderr.write(`heartline: ${id}: ${text}\n`);
    }
    if (parsed.spec !== null) {
      const { startLimitMs, stopLimitMs, monitorLimitMs } = defaults;
      resources.push({ id, spec: parsed.spec, startLimitMs, stopLimitMs, monitorLimitMs });
    }
  }
  if (problems.length > 0) throw new UsageError(problems);
  const { scriptDirectories } = defaults.processSettings;
  return { resources, context: { environment: { HA_CURHOST: hostname().toLowerCase() }, scriptDirectories } };
}

async function fromConfiguration(name: string, options: Options) {
  const { loadSettings } = await import("../../lib/runtime/load_settings.ts");
  const loaded = await loadSettings({
    ...(options.config === undefined ? {} : { configFile: options.config }),
    ...(options.haDir === undefined ? {} : { haDirectory: options.haDir }),
  });
  if (loaded.settings === null) {
    const { settingsErrors } = await import("../settings_errors.ts");
    throw new UsageError(settingsErrors(loaded.problems), 78);
  }
  const group = loaded.settings.groups.find((each) => each.name === name);
  if (group === undefined) {
    const names = loaded.settings.groups.map((each) => `"${each.name}"`).join(", ");
    throw new UsageError([`Cannot find group "${name}": the configuration has ${names || "no groups"}`]);
  }
  const environment = scriptEnvironment(loaded.settings, loaded.node, name);
  const { ignoreAnswersFrom, process: { scriptDirectories } } = loaded.settings;
  return { resources: group.resources, context: { environment, scriptDirectories, ignoreAnswersFrom } };
}

function scriptEnvironment(settings: Settings, node: string, group: string): Record<string, string> {
  const environment: Record<string, string> = { HA_CURHOST: node, HEARTLINE_GROUP: group };
  for (const [name, value] of Object.entries(settings.process.environment)) environment[`HA_${name}`] = value;
  return environment;
}

/** Each resource as one text: words such as `ip=10.0.0.9` belong to the resource before them. */
export function joined(words: readonly string[]): string[] {
  const specs: string[] = [];
  for (const word of words) {
    const parameter = /^([A-Za-z_][A-Za-z0-9_-]*)=(.*)$/s.exec(word);
    if (parameter === null || specs.length === 0) specs.push(word);
    else specs.push(`${specs.pop()} ${parameter[1]}=${quoted(parameter[2] ?? "")}`);
  }
  return specs;
}

/** The shell took the operator's quotes away; the parser of resources wants them back. */
function quoted(value: string): string {
  return /^[^\s"']*$/.test(value) ? value : `"${value.replaceAll('"', `"'"'"`)}"`;
}

function show({ resource, outcome }: StepResult, isDone: boolean): void {
  const reason = outcome.reason === outcome.result ? "" : ` (${outcome.reason})`;
  print(`${resource.id}: ${outcome.result}${reason}`);
  if (isDone) return;
  for (const line of outcome.output.slice(-SHOWN_LINES_MAX)) process.stderr.write(`  | ${line}\n`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

const notes = `
SPEC is one of
  apache::/etc/x.conf               a script in /etc/ha.d/resource.d or init.d
  IPaddr2::10.0.0.9/24/eth0         a virtual address, also as 10.0.0.9/24/eth0
  ocf:heartbeat:Dummy state=/run/x  an OCF agent with its parameters
  lsb:nginx                         /etc/init.d/nginx, judged by exit codes
  systemd:nginx                     a unit
  'exec:/usr/local/sbin/thing -v'   a command, called with start, stop or status
A virtual address is put there without a lease, because only a running daemon
can renew one.
${
  examples([
    ["heartline resource status lsb:nginx", "does it run?"],
    ["heartline resource start IPaddr2::10.0.0.9/24/eth0 --dry-run", "what would be done?"],
    ["heartline resource stop --group web", "stop a group of /etc/heartline/heartline.yaml"],
    ["heartline resource restart ocf:heartbeat:Dummy --timeout 10s", "with a limit for all of it"],
  ])
}
Exit codes: 0 done (status: runs); else that of the script or agent (LSB: 3
stopped, OCF: 7 not running); 2 usage, 78 configuration, 124 out of time.`;
