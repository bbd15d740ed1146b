/** A real browser without a window: what a page looks like, and what it complains about. */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";

const chromium = "/usr/bin/chromium";
export const hasBrowser = existsSync(chromium);
export const browserSkip = hasBrowser ? "" : `SKIPPED: no ${chromium}; install the Debian package "chromium"`;

const limitMs = 60_000;

/** No sandbox (tests run as root), no network of its own, nothing kept. */
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  "--host-resolver-rules=MAP * ~NOTFOUND",
  "--enable-logging=stderr",
];

export interface Shot {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue, 0 to 255. */
  readonly pixel: (x: number, y: number) => readonly [number, number, number];
  /** Lines that the page wrote to the console: errors, loads that were refused. */
  readonly console: readonly string[];
}

export async function shoot(
  file: string,
  width: number,
  height: number,
  isDark = false,
): Promise<Shot> {
  const directory = mkdtempSync(join(tmpdir(), "heartline-browser-"));
  const picture = join(directory, "shot.png");
  const dark = isDark ? ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] : [];
  try {
    const errors = await run([
      ...flags,
      ...dark,
      `--user-data-dir=${join(directory, "profile")}`,
      `--window-size=${width},${height}`,
      `--screenshot=${picture}`,
      `file://${file}`,
    ]);
    const lines = errors.split("\n").filter((line) => line.includes(":CONSOLE"));
    return { ...decodePng(readFileSync(picture)), console: lines };
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(chromium, [...args], { stdio: ["ignore", "ignore", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    let errors = "";
    child.stderr.on("data", (chunk) => errors += chunk);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(errors);
      else reject(new Error(`the browser ended with ${code}: ${errors.slice(-2_000)}`));
    });
  });
}

/** Of eight bits a channel, not interlaced, as the browser writes them (PNG, ISO/IEC 15948). */
function decodePng(bytes: Uint8Array): Omit<Shot, "console"> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const channels = bytes[25] === 6 ? 4 : 3;
  const parts: Uint8Array[] = [];
  for (let at = 8; at < bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const packed = inflateSync(concatenated(parts));
  const stride = width * channels;
  const pixels = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = packed[y * (stride + 1)]!;
    for (let x = 0; x < stride; x++) {
      const left = x < channels ? 0 : pixels[y * stride + x - channels]!;
      const up = y === 0 ? 0 : pixels[(y - 1) * stride + x]!;
      const corner = y === 0 || x < channels ? 0 : pixels[(y - 1) * stride + x - channels]!;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!;
      pixels[y * stride + x] = packed[y * (stride + 1) + 1 + x]! + predicted;
    }
  }
  const pixel = (x: number, y: number): [number, number, number] => {
    const at = y * stride + x * channels;
    return [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
  };
  return { width, height, pixel };
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(estimate - value));
  return a! <= b! && a! <= c! ? left : b! <= c! ? up : corner;
}
