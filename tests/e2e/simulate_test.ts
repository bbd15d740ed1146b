/**
 * The simulator as a program: the same seed gives the same bytes in every engine that runs it, and its pages are what a
 * browser shows. The targets are the sources under the other engine (Bun), and the compiled binary.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { targets } from "./harness.ts";
import { browserSkip, hasBrowser, shoot, type Shot } from "./browser.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const main = join(root, "cli/main.ts");
const programs = targets().map((target) =>
  target === "binary" ? [join(root, "dist/heartline")] : [join(root, "node_modules/bun/bin/bun.exe"), main]
);
/** The binary, where it is to be tested. */
const target = programs.at(-1)!;
const deno = [process.execPath, "run", "-A", "--no-check", main];

function simulate([program, ...before]: readonly string[], ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program!, [...before, "simulate", ...args], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

/** Every kind of chance that there is. */
const chances = `duration: 120s
config:
  nodes: [n1, n2, n3]
  keepalive: 200ms
  deadtime: 1s
  links:
    - bcast: { dev: hb0 }
    - bcast: { dev: hb1 }
    - bcast: { dev: hb2 }
  groups:
    web: { resources: [{ vip: 192.0.2.10/24, dev: eth0 }, { exec: /srv/web }] }
network:
  hb0: { latency: 3ms, jitter: { lognormal: 5ms }, loss: 5%, duplicate: 2% }
  hb1: { jitter: { pareto: 4ms }, burst: { loss: 10%, packets: 8 }, bandwidth: 256kbit }
  hb2: { latency: 50ms, jitter: { normal: 20ms }, reorder: { share: 10%, by: 400ms } }
service-network: { loss: 10% }
events:
  - { at: 20s, degrade: { link: hb0, jitter: { exponential: 90ms }, loss: 60% }, for: 30s }
  - { at: 30s, crash: n1, for: 9s }
  - { at: 60s, pause: n2, for: 4s }
  - { at: 80s, power-off: n1, for: 9s }
`;

const pair = `nodes: [n1, n2]
keepalive: 200ms
deadtime: 1s
links: [{ bcast: { dev: hb0 } }, { bcast: { dev: hb1 } }]
keys: { sign-with: 1, keys: [{ index: 1, method: sha256, secret: only-for-this-test }] }
groups: { web: { resources: [{ vip: 192.0.2.10/24, dev: eth0 }] } }
`;

Deno.test({
  name: "the same seed gives the same trace and pictures, byte for byte, in Deno and in every target",
  fn: () => {
    const directory = mkdtempSync(join(tmpdir(), "heartline-simulate-"));
    try {
      const own = join(directory, "chances.yaml");
      writeFileSync(own, chances);
      for (const [scenario, seed] of [[own, "1"], [own, "77"], ["gateway-on-both-sides", "3"]] as const) {
        const written = [deno, ...programs].map((program, index) => {
          const files = ["trace", "svg", "report"].map((kind) => join(directory, `${index}.${kind}`));
          const [trace, svg, report] = files as [string, string, string];
          const options = ["--seed", seed, "--trace", trace, "--svg", svg, "--report", report];
          const printed = simulate(program, "run", scenario, ...options);
          return [printed, ...files.map((file) => readFileSync(file, "utf8"))];
        });
        assert.ok(written[0]![1]!.length > 20_000, "the trace has become empty");
        for (const [index, other] of written.slice(1).entries()) {
          for (const [at, text] of written[0]!.entries()) {
            assert.ok(text === other[at], `output ${at} of ${programs[index]!.join(" ")} differs`);
          }
        }
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
});

Deno.test({
  name: "explore, prove and sweep find the same in Deno and in the target, on one core and on several",
  fn: () => {
    const directory = mkdtempSync(join(tmpdir(), "heartline-simulate-"));
    try {
      const config = join(directory, "pair.yaml");
      writeFileSync(config, pair);
      for (
        const [command, ...args] of [
          ["explore", "--seed", "11", "--runs", "25"],
          ["explore", config, "--seed", "11", "--runs", "25"],
          ["prove", config, "--depth", "2", "--faults", "cut,crash,pause"],
          ["sweep", config, "--param", "deadtime=500ms,1s", "--param", "loss=0,0.2", "--heartbeats", "20000"],
        ] as const
      ) {
        const [one, other] = ([[deno, "1"], [target, "2"]] as const).map(([program, jobs]) =>
          simulate(program, command, ...args, "--jobs", jobs, "--json")
        );
        assert.ok(one!.length > 200, one);
        assert.ok(one === other, `${command} differs:\n${one}\n${other}`);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
});

Deno.test("the library is inside the target: every name can be listed and run", () => {
  const { scenarios } = JSON.parse(simulate(target, "list", "--json"));
  assert.ok(scenarios.length >= 13);
  for (const { name } of scenarios) simulate(target, "run", name);
});

/** Share of the picture's pixels that are the red of two holders, light or dark. */
function redShare({ width, height, pixel }: Shot): number {
  let count = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [red, green, blue] = pixel(x, y);
      if (red > 180 && green < 110 && blue < 130) count++;
    }
  }
  return count / (width * height);
}

Deno.test({
  name:
    `a browser shows the page of a run, light and dark, and the red bar where two nodes held ${browserSkip}`,
  ignore: !hasBrowser,
  fn: async () => {
    const directory = mkdtempSync(join(tmpdir(), "heartline-page-"));
    try {
      const [split, sound] = ["gateway-on-both-sides", "power-off"].map((name) => {
        const file = join(directory, `${name}.html`);
        simulate(target, "run", name, "--report", file);
        return file;
      }) as [string, string];
      const text = readFileSync(split, "utf8");
      const loads = text.match(/(?:src|href)=|url\((?!#)|@import/g);
      assert.equal(loads, null, "the page loads nothing");
      const light = await shoot(split, 1200, 1200);
      assert.deepEqual([light.width, light.height], [1200, 1200]);
      assert.deepEqual(light.console, []);
      assert.ok(Math.min(...light.pixel(2, 2)) > 230, `light: ${light.pixel(2, 2)}`);
      assert.ok(redShare(light) > 0.008, `red bar: ${redShare(light)}`);
      const dark = await shoot(split, 1200, 1200, true);
      assert.ok(Math.max(...dark.pixel(2, 2)) < 60, `dark: ${dark.pixel(2, 2)}`);
      assert.ok(redShare(dark) > 0.008, `red bar in the dark: ${redShare(dark)}`);
      const whole = await shoot(sound, 1200, 1200);
      assert.ok(redShare(whole) < 0.002, `nobody held it twice: ${redShare(whole)}`);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
});
