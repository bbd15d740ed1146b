/**
 * The entry: reads the arguments, runs one command, turns whatever it throws into one message and an exit code.
 * The only reader of argv. Must stay light: it loads the argument parser and the one command that was asked for.
 */

import process from "node:process";
import { version } from "../lib/version.ts";
import { describeFailure } from "./failures.ts";

function fail(error: unknown): void {
  const { message, exitCode } = describeFailure(error, Boolean(process.env.HEARTLINE_DEBUG));
  if (message !== "") process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}

// Somebody closed the pipe (`heartline status | head`): nobody is left to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: { code?: string }) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
}
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
  process.exit();
}

try {
  const args = process.argv.slice(2);
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
    // Needs no argument parser, which is most of the start-up time.
    process.stdout.write(`heartline ${version}\n`);
  } else {
    const { buildProgram } = await import("./program.ts");
    const program = await buildProgram(args);
    await program.parseAsync(args, { from: "user" });
  }
} catch (error) {
  fail(error);
}
await end();
