/**
 * A network segment with a primary, a standby and other machines for the tests of `heartline detect`: real addresses,
 * real neighbours, and the command run on any of them.
 */

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { LabNetwork, SERVICE_LINK } from "../../scripts/lab/network.ts";
import { type Ended, run, tryRun } from "../../scripts/lab/run.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { inNetworkNamespace, networkNamespacePath } from "../../lib/system/namespaces.ts";
import { missingForNetwork } from "../system/network.ts";

const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** From the sources or, with HEARTLINE_BIN, from a binary. */
export function heartlineCommand(): string[] {
  const binary = process.env["HEARTLINE_BIN"];
  if (binary !== undefined) return [binary];
  // Of packages that are there: else several runs at once wait for each other.
  return [process.execPath, "run", "-A", "--no-check", "--node-modules-dir=manual", main];
}

// Loads the table of libc functions, which stays for the life of the process, outside of any one test.
monotonicMs();

export const VIP = "10.77.1.99";
export const VIP6 = "fd77:1::99";

export class Segment {
  readonly directory = mkdtempSync(join(tmpdir(), "hl-detect-"));

  private constructor(readonly network: LabNetwork) {}

  static async build(machines: number, links = 1): Promise<Segment> {
    const segment = new Segment(
      new LabNetwork({
        id: `hldetect-${process.pid}-${randomBytes(3).toString("hex")}`,
        nodes: Array.from({ length: machines }, (_, index) => `node${index + 1}`),
        links: Array.from({ length: links }, (_, index) => (index === 0 ? SERVICE_LINK : `hb${index - 1}`)),
      }),
    );
    try {
      await segment.network.build();
    } catch (error) {
      await segment.destroy();
      throw error;
    }
    return segment;
  }

  async destroy(): Promise<void> {
    await this.network.destroy();
    rmSync(this.directory, { recursive: true, force: true });
  }

  address(node: string, family: 4 | 6 = 4): string {
    return this.network.address(node, SERVICE_LINK, family);
  }

  async hold(node: string, vip = VIP): Promise<void> {
    await this.ip(
      node,
      `addr add ${vip}/${vip.includes(":") ? "64" : "24"} dev pub0 ${vip.includes(":") ? "nodad" : ""}`,
    );
  }

  async drop(node: string, vip = VIP): Promise<void> {
    await this.ip(node, `addr del ${vip}/${vip.includes(":") ? "64" : "24"} dev pub0`);
  }

  async ip(node: string, command: string): Promise<void> {
    await run("ip", ["-n", this.network.namespace(node), ...command.trim().split(/ +/)]);
  }

  exec(node: string, command: readonly string[]): Promise<Ended> {
    return tryRun("ip", ["netns", "exec", this.network.namespace(node), ...command]);
  }

  /** What is opened by the function belongs to the node; it must be synchronous. */
  on<Result>(node: string, act: () => Result): Result {
    return inNetworkNamespace(networkNamespacePath(this.network.namespace(node)), act);
  }

  /** `heartline detect` on a node, by default with a short window. `before`: a command in front, such as setpriv. */
  detect(node: string, args: readonly string[], before: readonly string[] = []): Promise<Ended> {
    const window = args.includes("--window") || args.includes("--help") ? [] : ["--window", "1500ms"];
    return this.exec(node, [...before, ...heartlineCommand(), "detect", ...args, ...window]);
  }

  /** The code of the verdict about the first address, with the severity, as JSON has them. */
  async verdict(node: string, args: readonly string[], before: readonly string[] = []) {
    const ended = await this.detect(node, [...args, "--json"], before);
    const report = ended.stdout.startsWith("{") ? JSON.parse(ended.stdout) : null;
    if (report === null) throw new Error(`no JSON: exit code ${ended.code}: ${ended.stdout}${ended.stderr}`);
    return { ...report, code: report.verdicts[0].code as string, exitCode: ended.code };
  }
}

/** A test on a segment of its own; skipped aloud, by name, where something is missing. */
export function segmentTest(
  name: string,
  options: { machines: number; links?: number; programs?: string[] },
  body: (segment: Segment) => Promise<void>,
): void {
  const missing = missingForNetwork(...(options.programs ?? []));
  if (missing !== null) console.warn(`SKIPPED "${name}": needs ${missing}`);
  Deno.test({
    name,
    ignore: missing !== null,
    async fn() {
      const segment = await Segment.build(options.machines, options.links);
      try {
        await body(segment);
      } finally {
        await segment.destroy();
      }
    },
  });
}
