/** `heartline fence` as a process, with the laboratory's agent. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FakeDaemon, withFakeDaemon } from "./fake_daemon.ts";
import { commandLine, heartline } from "./run.ts";
import { healthyPair } from "./views.ts";

const agent = fileURLToPath(new URL("../../scripts/lab/fence_lab", import.meta.url));
const own = hostname().toLowerCase();

/** A configuration of this machine and `other`, with a device for both; both are on. */
class Site {
  readonly directory = mkdtempSync(join(tmpdir(), "hl-fence-"));
  readonly config = join(this.directory, "heartline.yaml");
  readonly secrets = join(this.directory, "secrets");

  /** A device that lies is asked until `limit`: too low, and a busy machine has no answer by then. */
  constructor(fault = "", limit = "3s") {
    this.write("fault", fault);
    writeFileSync(this.secrets, "password=tell-nobody\n", { mode: 0o600 });
    writeFileSync(
      this.config,
      `nodes: ["${own}", other]
links: [{ ucast: { dev: lo, peer: 198.51.100.2 } }]
keys: { sign-with: 1, keys: [{ index: 1, method: sha256, secret: a-long-secret }] }
groups: { web: { resources: ["10.0.0.9/24"] } }
fencing:
  devices:
    - name: lab
      agent: ${agent}
      nodes: ["${own}", other]
      options: { directory: "${this.directory}", instant: 1, instnat: 1 }
      options-file: secrets
      limit: ${limit}
`,
      { mode: 0o600 },
    );
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.directory, name), text);
  }

  calls(): string {
    return readFileSync(join(this.directory, "calls"), "utf8");
  }

  run(...args: string[]) {
    return heartline(["fence", ...args, "--config", this.config]);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

Deno.test("fence test asks for the power of every node, and switches nothing", async () => {
  using site = new Site();
  site.write("other.state", "off");
  const { code, stdout, stderr } = await site.run("test");
  assert.match(stdout, new RegExp(`^lab +${own} +on\\nlab +other +off\\n$`));
  assert.match(stderr, /has no option "instnat"; did you mean "instant"\?/);
  assert.equal(code, 0);
  assert.ok(!/^(off|on) /m.test(site.calls()));
  const wrong = await site.run("test", "othr");
  assert.match(wrong.stderr, /neither a device nor a node; did you mean "other"\?/);
  assert.equal(wrong.code, 2);
});

Deno.test("a device that cannot tell is a finding, and its password is not shown", async () => {
  using site = new Site("chatty");
  const { code, stdout, stderr } = await site.run("test", "other");
  assert.equal(code, 1);
  assert.match(stdout, /lab +other +UNKNOWN +exit 1: login with password \*\*\* refused/);
  const json = await site.run("status", "other", "--json");
  assert.equal(JSON.parse(json.stdout).answers[0].state, "unknown");
  assert.ok(![stdout, stderr, json.stdout].join().includes("tell-nobody"));
});

Deno.test("fence reboot tells each step, and ends with 0 only when the node was off and is on", async () => {
  using site = new Site();
  const { code, stdout } = await site.run("reboot", "OTHER", "--yes");
  assert.equal(
    stdout.replaceAll(/\(\d.*\)/g, "(t)"),
    "lab: off other: done (t)\nlab: status other: it is off (t)\nlab: on other: done (t)\n" +
      "lab: status other: it is on (t)\ndone: other is on\n",
  );
  assert.equal(code, 0);
  site.write("fault", "no-on");
  const half = await site.run("reboot", "other", "--yes");
  assert.match(half.stdout, /FAILED: other was switched off, but not on again/);
  assert.equal(half.code, 1);
});

Deno.test("a node that is not seen to be off is not fenced, whatever the agent says", async () => {
  using site = new Site("liar", "8s");
  const ended = await site.run("off", "other", "--yes", "--json");
  const { off, exitCode, reason } = JSON.parse(ended.stdout);
  assert.deepEqual([off, exitCode, ended.code], ["failed", 1, 1]);
  assert.match(reason, /says that it switched other off, but it is still on/);
});

Deno.test("this very machine, an unknown node, no terminal, public files and passwords as words are refused", async () => {
  using site = new Site();
  const flags = ["fence", "status", "n1", "--agent", agent, "--option", `directory=${site.directory}`];
  const refused: readonly (readonly [Promise<{ code: number | null; stderr: string }>, number, RegExp])[] = [
    [site.run("off", own, "--yes"), 2, /it is this very machine/],
    [site.run("off", "othr", "--yes"), 2, /did you mean "other"\?/],
    [site.run("off", "other"), 2, /standard input is no terminal; add --yes/],
    [heartline([...flags, "--option", "password=x"]), 2, /seen by every user/],
    [heartline([...flags, "--option", "port=x"]), 2, /write --port/],
    [heartline(["fence", "status", "n1", "--agent", "/bin/true"]), 2, /switches nothing off/],
    [heartline(["fence", "status", "n1", "--limit", "3s"]), 2, /no agent is named/],
  ];
  for (const [ended, code, pattern] of refused) {
    const { code: actual, stderr } = await ended;
    assert.match(stderr, pattern);
    assert.equal(actual, code, stderr);
  }
  const good = await heartline([...flags, "--options-file", site.secrets]);
  assert.deepEqual([good.code, good.stdout], [0, "fence_lab  n1  on\n"]);
  chmodSync(site.secrets, 0o644);
  const open = await heartline([...flags, "--options-file", site.secrets]);
  assert.match(open.stderr, /others may read it; chmod 600/);
  const configured = await site.run("list");
  assert.match(configured.stderr, /secrets: the file holds secrets, but its mode 644 lets others read it/);
  assert.equal(configured.code, 78);
});

/** Runs a command on a pseudo-terminal and types one line when it asks. */
async function onTerminal(args: readonly string[], words: string, socket: string) {
  const [file, all] = commandLine(args);
  const line = [file, ...all].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", line, "/dev/null"], {
    env: { ...process.env, HEARTLINE_SOCKET: socket, NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  let isTyped = false;
  child.stdout.on("data", (chunk) => {
    text += chunk;
    if (isTyped || !text.includes("> ")) return;
    isTyped = true;
    child.stdin.write(`${words}\n`);
  });
  const [code] = await once(child, "close");
  child.stdin.destroy();
  return { code, text };
}

const hasTerminal = existsSync("/usr/bin/script");
if (!hasTerminal) console.warn('SKIP the test on a terminal: the program "script" is missing');

Deno.test({
  name: "on a terminal the name of the node has to be typed, and what the daemon knows of it is shown",
  ignore: !hasTerminal,
  fn: async () => {
    using site = new Site();
    const daemon = new FakeDaemon(healthyPair({ node: "other" }));
    await withFakeDaemon(daemon, async (socket) => {
      const typed = (words: string) =>
        onTerminal(["fence", "off", "other", "--config", site.config], words, socket);
      const wrong = await typed("othr");
      assert.match(wrong.text, /other is ALIVE and holds nothing/);
      assert.match(wrong.text, /that is another name; nothing was done/);
      assert.equal(wrong.code, 1);
      const right = await typed("other");
      assert.match(right.text, /done: other is off, as lab says/);
      assert.equal(right.code, 0);
    });
  },
});

Deno.test("an interrupted command takes its agent with it and says that nobody knows", async () => {
  using site = new Site("hang");
  const child = join(site.directory, "child");
  const command = spawn(...commandLine(["fence", "off", "other", "--yes", "--config", site.config]), {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(command, "close");
  let text = "";
  command.stderr.on("data", (chunk) => text += chunk);
  const endsAt = performance.now() + 15_000;
  while (!existsSync(child) || readFileSync(child, "utf8") === "") {
    assert.ok(performance.now() < endsAt, "the agent has not started");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  process.kill(command.pid!, "SIGTERM");
  await ended;
  assert.match(text, /interrupted; what became of other is not known/);
  const pid = readFileSync(child, "utf8").trim();
  assert.ok(!existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")));
});
