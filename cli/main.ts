/**
 * The entry: reads the arguments, runs one command, turns whatever it throws into one message and an exit code.
 * The only reader of argv. Must stay light: it loads the argument parser and the one command that was asked for.
 */

import process from "node:process";
import { version } from "../lib/version.ts";
import { dropInCall, runDropIn } from "./dropin/dropin.ts";
import { describeFailure, describePluginFailure, pluginUnknown } from "./failures.ts";

const args = process.argv.slice(2);
/** Exit code for an output that could not be written (EnvironmentError's usual one). */
const unwritable = 69;
/** Monitoring reads standard output, and only exit codes 0 to 3. */
const isPlugin = args.includes("--nagios");

function fail(error: unknown): void {
  if ((error as { code?: string } | null)?.code === "ENOSPC") failedToWrite(error as { code: string });
  const isDebug = Boolean(process.env.HEARTLINE_DEBUG);
  if (isPlugin) {
    const { message, exitCode } = describePluginFailure(error, args[0] ?? "heartline", isDebug);
    if (message !== "") process.stdout.write(`${message}\n`);
    process.exitCode = exitCode;
    return;
  }
  const { message, exitCode } = describeFailure(error, isDebug);
  if (message !== "") process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}

/** What could not be written is lost: a full disk must not look like success to a script that reads the file. */
function failedToWrite(error: { readonly code?: string }): never {
  // Somebody closed the pipe (`heartline status | head`): nobody is left to tell.
  if (error.code === "EPIPE") process.exit();
  const why = error.code === "ENOSPC" ? "the disk is full" : error.code ?? String(error);
  try {
    process.stderr.write(`heartline: Cannot write the output: ${why}\n`);
  } catch {
    // Standard error goes to the same place.
  }
  process.exit(isPlugin ? pluginUnknown : unwritable);
}

for (const stream of [process.stdout, process.stderr]) stream.on("error", failedToWrite);
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    fail(error);
    process.exit();
  });
}

/**
 * Ends the process once everything written has left it. Waiting for its natural end costs time, and Deno 2.9.6 now
 * and then crashes on the way there.
 */
async function end(): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write("", () => resolve()));
  }
  // Bun tells of a write that failed only now.
  await new Promise((resolve) => setImmediate(resolve));
  process.exit();
}

try {
  // Under Deno the name is always "deno": there only the verbs work.
  const dropIn = dropInCall(process.argv0, args);
  const isVersion = args.includes("--version") || args.includes("-V");
  if (dropIn !== null) {
    await runDropIn(dropIn);
  } else if (isVersion && (args.length === 1 || isPlugin)) {
    // Needs no argument parser, which is most of the start-up time.
    process.stdout.write(`heartline ${version}\n`);
    if (isPlugin) process.exitCode = pluginUnknown;
  } else {
    const { buildProgram } = await import("./program.ts");
    const program = await buildProgram(args);
    await program.parseAsync(args, { from: "user" });
  }
} catch (error) {
  fail(error);
}
try {
  await end();
} catch (error) {
  // Deno throws where others emit an event.
  failedToWrite(error as { code?: string });
}
