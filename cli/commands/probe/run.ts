/**
 * `heartline probe`: measures, shows what happens meanwhile on a terminal, and prints the result in the form that was
 * asked for. Ctrl-C ends the asking early; what was measured until then is told.
 */

import process from "node:process";
import type { Settings } from "../../../lib/core/settings.ts";
import type { Wishes } from "../../../lib/measure/recommend.ts";
import { HeartbeatEar } from "../../../lib/probe/heartbeats.ts";
import { interfaceFacts } from "../../../lib/probe/interface_facts.ts";
import { Measurement } from "../../../lib/probe/measurement.ts";
import { requireWritable, writeOutput } from "../../output_file.ts";
import { paintFor } from "../../render/paint.ts";
import { probeJson } from "../../render/probe/json.ts";
import { renderResult } from "../../render/probe/text.ts";
import type { ProbeOptions } from "../probe.ts";
import { heardResult } from "./hear.ts";
import { type ProbeRequest, readProbeOptions } from "./options.ts";
import { passiveLinks, viewOfDaemon } from "./passive.ts";
import { type Plan, planOf, settingsFor } from "./plan.ts";
import { type ProbeResult, resultOf } from "./result.ts";

/** How long heartbeats are listened to unless said. Less tells nothing of a keepalive of seconds. */
const hearMs = 60_000;

export async function probe(options: ProbeOptions): Promise<number> {
  const request = readProbeOptions(options);
  await requireWritable(options.svg);
  if (options.hear) return await hear(request, options);
  let measurement: Measurement | null = null;
  const plan = await planOf(request, options, (path, count) => measurement?.heardElsewhere(path, count));
  measurement = new Measurement(request.measurement, plan.probers);
  const wishes = wishesWith(plan.settings, request.wishes);
  const { socket, before } = plan;
  const result = async () =>
    resultOf(measurement!.states(), wishes, {
      facts: await factsOf(plan),
      passive: passiveLinks(before, before === null ? null : await viewOfDaemon(socket), options),
      skipped: plan.skipped,
      missedBeats: measurement!.missedBeats,
      intervalMs: request.measurement.intervalMs,
      patienceMs: request.measurement.patienceMs,
      isCluster: request.paths.length === 0,
    });
  await measured(measurement, options, result);
  return await print(await result(), options);
}

/** `--hear`: the heartbeats of the others, for a time, without a question. */
async function hear({ wishes }: ProbeRequest, options: ProbeOptions): Promise<number> {
  const { settings, node } = await settingsFor(options);
  const ear = new HeartbeatEar(settings, node, options.link);
  const result = await heardResult(ear, {
    forMs: options.for ?? hearMs,
    wishes: wishesWith(settings, wishes),
    others: settings.nodes.filter((each) => each !== node && (options.peer ?? each).toLowerCase() === each),
  });
  return await print(result, options);
}

/** Runs it, with a display where one is wanted. */
async function measured(
  measurement: Measurement,
  options: ProbeOptions,
  result: () => Promise<ProbeResult>,
): Promise<void> {
  const end = () => measurement.stop();
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  const isForMachines = options.json === true || options.nagios === true;
  const display = isForMachines && !options.watch
    ? null
    : (await import("../../render/probe/live.ts")).openDisplay(measurement, options.watch === true, result);
  try {
    await measurement.run();
  } finally {
    await display?.close();
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
}

/** What is in force is judged, unless something else was named. */
function wishesWith(settings: Settings | null, wishes: Wishes): Wishes {
  if (wishes.judged !== null || settings === null) return wishes;
  const { keepaliveMs, deadTimeMs } = settings.timing;
  return { ...wishes, judged: { keepaliveMs: wishes.keepaliveMs ?? keepaliveMs, deadTimeMs } };
}

async function factsOf({ probers }: Plan) {
  const devices = new Set(probers.map(({ device }) => device).filter((device) => device !== null));
  return new Map(
    await Promise.all([...devices].map(async (name) => [name, await interfaceFacts(name)] as const)),
  );
}

async function print(result: ProbeResult, options: ProbeOptions): Promise<number> {
  const exitCode = await show(result, options);
  // Last, so that the result is out whatever becomes of the file.
  if (options.svg !== undefined) {
    const { probeSvg } = await import("../../render/probe/svg.ts");
    await writeOutput(options.svg, probeSvg(result));
  }
  return exitCode;
}

async function show(result: ProbeResult, options: ProbeOptions): Promise<number> {
  if (options.nagios) {
    const { nagiosResult } = await import("../../render/probe/nagios.ts");
    const { line, exitCode } = nagiosResult(result);
    process.stdout.write(line + "\n");
    return exitCode;
  }
  if (options.json) {
    process.stdout.write(JSON.stringify(probeJson(result), null, 2) + "\n");
  } else {
    const width = Math.min(process.stdout.columns || 80, 110);
    process.stdout.write(renderResult(result, width, await paintFor(process.stdout)).join("\n") + "\n");
  }
  return result.findings.length === 0 ? 0 : 1;
}
