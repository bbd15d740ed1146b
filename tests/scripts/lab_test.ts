import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { spawn } from "node:child_process";
import { inNetworkNamespace, networkNamespacePath } from "../../lib/system/namespaces.ts";
import { EchoSocket } from "../../lib/system/icmp.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { CONFIG_PATH, VIP, writeConfig, writeHaDirectory } from "../../scripts/lab/config.ts";
import { Lab } from "../../scripts/lab/lab.ts";
import { CLIENT } from "../../scripts/lab/network.ts";
import { run } from "../../scripts/lab/run.ts";
import { ClientPinger, HolderSampler } from "../../scripts/lab/samplers.ts";
import { soleHolderAtMs } from "../../scripts/lab/timeline.ts";
import { cannotRun, waitFor } from "../e2e/harness.ts";

const PREFIX = "hltest";
const reachLimitMs = 250;

function labTest(name: string, needs: readonly string[], fn: (lab: Lab) => Promise<void>): void {
  const reason = cannotRun("source", needs);
  if (reason !== null) console.warn(`SKIP "${name}": ${reason}`);
  Deno.test({
    name,
    ignore: reason !== null,
    fn: async () => {
      const lab = await Lab.build({ prefix: PREFIX });
      try {
        await fn(lab);
      } finally {
        await lab.destroy();
      }
    },
  });
}

/** Whether an ICMP echo request from one place is answered; by a socket of our own, no program needed. */
async function reaches(lab: Lab, from: string, to: string, limitMs = reachLimitMs): Promise<boolean> {
  const family = to.includes(":") ? 6 : 4;
  const socket = inNetworkNamespace(
    networkNamespacePath(lab.network.namespace(from)),
    () => EchoSocket.open(family),
  );
  try {
    const endMs = monotonicMs() + limitMs;
    for (let sequence = 0; monotonicMs() < endMs; sequence++) {
      if (sequence % 10 === 0) socket.send(to, 7, sequence, new Uint8Array(8));
      if (socket.poll().some((reply) => reply.from === to && reply.identifier === 7)) return true;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return false;
  } finally {
    socket.close();
  }
}

async function hasCarrier(lab: Lab, node: string, link: string): Promise<boolean> {
  const { stdout } = await lab.exec(node, ["ip", "-j", "link", "show", link]);
  return JSON.parse(stdout)[0].flags.includes("LOWER_UP");
}

const address = { node2: "10.77.2.2", node2Service: "10.77.1.2", node1: "10.77.2.1" };

labTest("nodes and client reach each other on every link, in both families", [], async (lab) => {
  for (
    const [from, to] of [
      ["node1", address.node2],
      ["node2", address.node1],
      ["node1", address.node2Service],
      ["node1", "fd77:1::2"],
      ["node1", "fd77:2::2"],
      [CLIENT, "10.77.1.1"],
      [CLIENT, "fd77:1::2"],
      ["node2", "10.77.1.254"],
    ] as const
  ) {
    assert.ok(await reaches(lab, from, to, 2000), `${from} does not reach ${to}`);
  }
});

labTest("a cut takes the carrier of one link only, and heals", [], async (lab) => {
  await lab.cut("node1", "hb0");
  assert.equal(await hasCarrier(lab, "node1", "hb0"), false);
  assert.equal(await reaches(lab, "node2", address.node1), false);
  assert.ok(await reaches(lab, "node1", address.node2Service));
  await lab.heal("node1", "hb0");
  assert.ok(await hasCarrier(lab, "node1", "hb0"));
  assert.ok(await reaches(lab, "node2", address.node1, 2000));
});

labTest("a muted link keeps its carrier and passes nothing", [], async (lab) => {
  await lab.mute("node1", "all");
  assert.ok(await hasCarrier(lab, "node1", "hb0"));
  assert.equal(await reaches(lab, "node1", address.node2), false);
  assert.equal(await reaches(lab, "node1", address.node2Service), false);
  await lab.unmute("node1", "all");
  assert.ok(await reaches(lab, "node1", address.node2, 2000));
});

labTest("a link stays muted over a cut and its heal", [], async (lab) => {
  await lab.cut("node1", "hb0");
  await lab.mute("node1", "hb0");
  await lab.heal("node1", "hb0");
  assert.equal(await reaches(lab, "node1", address.node2), false);
});

/** What node2 hears of node1 and the other way round, by counting UDP datagrams that arrive. */
async function hears(
  lab: Lab,
  listener: string,
  speaker: string,
  to: string,
  limitMs = reachLimitMs,
): Promise<boolean> {
  const port = 5000 + Math.floor(Math.random() * 1000);
  const script = `import { createSocket } from "node:dgram";
    const s = createSocket("udp4");
    s.on("message", () => { console.log("heard"); process.exit(0); });
    s.bind(${port}, () => console.log("bound"));`;
  const daemon = lab.launch(listener, [process.execPath, "eval", script]);
  try {
    await waitFor(() => daemon.text().includes("bound"), "the listener is bound");
    for (let count = 0; count < 5; count++) {
      const { code, stderr } = await lab.exec(speaker, ["bash", "-c", `echo x > /dev/udp/${to}/${port}`]);
      assert.equal(code, 0, stderr);
      if (daemon.text().includes("heard")) break;
    }
    const endMs = monotonicMs() + limitMs;
    await waitFor(() => daemon.text().includes("heard") || monotonicMs() > endMs, "heard, or the time is up");
    return daemon.text().includes("heard");
  } finally {
    daemon.signal("SIGKILL");
    await daemon.ended;
  }
}

labTest("a one-way cut stops one direction only, in either direction", ["nft"], async (lab) => {
  // Addresses are resolved before: a one-way cut stops that, too.
  assert.ok(await reaches(lab, "node1", address.node2, 2000));
  for (const place of ["node1", "node2"]) {
    const [mac1, mac2] = await Promise.all(["node1", "node2"].map(async (node) => {
      const { stdout } = await lab.exec(node, ["cat", "/sys/class/net/hb0/address"]);
      return stdout.trim();
    }));
    const [other, mac] = place === "node1" ? [address.node2, mac2] : [address.node1, mac1];
    await lab.exec(place, [
      "ip",
      "neigh",
      "replace",
      other,
      "lladdr",
      mac ?? "",
      "dev",
      "hb0",
      "nud",
      "permanent",
    ]);
  }
  await lab.dropTowards("node1", "hb0");
  assert.equal(await hears(lab, "node1", "node2", address.node1), false, "node1 hears although it is deaf");
  assert.equal(await hears(lab, "node2", "node1", address.node2, 10_000), true, "node2 does not hear node1");
  await lab.dropTowards("node1", "hb0", false);
  await lab.dropFrom("node1", "hb0");
  assert.equal(
    await hears(lab, "node2", "node1", address.node2),
    false,
    "node2 hears although node1 is mute",
  );
  assert.equal(await hears(lab, "node1", "node2", address.node1, 10_000), true, "node1 does not hear node2");
  await lab.dropFrom("node1", "hb0", false);
  assert.ok(await reaches(lab, "node1", address.node2, 2000));
});

labTest("loss takes a share of the packets", ["nft"], async (lab) => {
  assert.ok(await reaches(lab, CLIENT, "10.77.1.1", 2000));
  await lab.loss("node1", "pub0", 30);
  const pinger = new ClientPinger(lab, "10.77.1.1", 1);
  try {
    await waitFor(() => pinger.sent >= 400, "400 requests are sent");
  } finally {
    pinger.stop();
  }
  // Both directions lose 30 %: about half is answered.
  const share = pinger.received / pinger.sent;
  assert.ok(share > 0.3 && share < 0.7, `${pinger.received} of ${pinger.sent} answered`);
});

labTest("the sampler sees an address that is added within 10 ms", [], async (lab) => {
  const sampler = new HolderSampler(lab, VIP);
  try {
    assert.deepEqual(sampler.sample(), []);
    // Of several attempts one must be quick; a busy machine may delay the others.
    let bestMs = Infinity;
    for (let attempt = 0; attempt < 5; attempt++) {
      const fromMs = monotonicMs();
      await lab.exec("node2", ["ip", "addr", "add", `${VIP}/24`, "dev", "pub0"]);
      const addedMs = monotonicMs();
      const seenAtMs = () => soleHolderAtMs(sampler.timeline(), "node2", fromMs);
      await waitFor(() => seenAtMs() !== null, "the sampler sees the address");
      bestMs = Math.min(bestMs, (seenAtMs() ?? Infinity) - addedMs);
      await lab.exec("node2", ["ip", "addr", "del", `${VIP}/24`, "dev", "pub0"]);
      await waitFor(() => sampler.timeline().changes.at(-1)?.holders.length === 0, "the address is gone");
    }
    assert.ok(bestMs <= 10, `seen ${bestMs} ms after it was added at best`);
  } finally {
    sampler.stop();
  }
});

labTest("the client's pinger measures how long the address did not answer", [], async (lab) => {
  const pinger = new ClientPinger(lab, "10.77.1.1");
  try {
    await waitFor(() => pinger.received >= 20, "replies come");
    const fromMs = monotonicMs();
    await lab.cut("node1", "pub0");
    await new Promise((resolve) => setTimeout(resolve, 200));
    await lab.heal("node1", "pub0");
    const healedMs = monotonicMs();
    await waitFor(() => (pinger.lastReplyAtMs ?? 0) > healedMs, "replies come again");
    const [outageMs, atLeastMs] = [pinger.outageMs(fromMs, monotonicMs()), healedMs - fromMs - 20];
    assert.ok(outageMs >= Math.min(200, atLeastMs), `${outageMs} ms measured, ${healedMs - fromMs} ms made`);
  } finally {
    pinger.stop();
  }
});

labTest("a power-off kills every process of the node, takes its links and its addresses", [], async (lab) => {
  await lab.exec("node1", ["ip", "addr", "add", `${VIP}/24`, "dev", "pub0"]);
  const daemon = lab.launch("node1", ["bash", "-c", "setsid sleep 1000 & echo up; wait"]);
  await waitFor(() => daemon.text().includes("up"), "the daemon runs");
  const inside = processesIn(lab, "node1");
  assert.ok(inside.length >= 3, `${inside.length} processes in the node`);
  const sampler = new HolderSampler(lab, VIP);
  assert.deepEqual(sampler.sample(), ["node1"]);
  await lab.powerOff("node1");
  assert.deepEqual(sampler.sample(), []);
  sampler.stop();
  assert.deepEqual(inside.filter((pid) => existsSync(`/proc/${pid}`)), []);
  assert.equal(daemon.hasEnded, true);
  assert.equal(await reaches(lab, "node2", address.node1), false);

  await lab.powerOn("node1");
  assert.ok(await reaches(lab, "node2", address.node1, 2000));
  assert.equal((await lab.exec("node1", ["hostname"])).stdout.trim(), "node1");
});

labTest("a stopped daemon stands still, goes on, and can be killed while it stands", [], async (lab) => {
  const daemon = lab.launch("node1", ["bash", "-c", "while :; do echo tick; read -t 0.02 <> <(:); done"]);
  await waitFor(() => daemon.lines.length > 3, "it ticks");
  const stateOf = () => readFileSync(`/proc/${daemon.pid}/stat`, "utf8").split(" ")[2];
  lab.stop("node1");
  await waitFor(() => stateOf() === "T", "it stands still");
  lab.cont("node1");
  const count = daemon.lines.length;
  await waitFor(() => daemon.lines.length > count + 3, "it ticks again");
  lab.stop("node1");
  await waitFor(() => stateOf() === "T", "it stands still again");
  lab.kill("node1", "SIGKILL");
  assert.equal(await daemon.ended, 137);
});

labTest("nothing in a node can reboot the machine, and its files are its own", [], async (lab) => {
  for (const program of ["systemctl", "reboot"]) {
    const { code, stdout } = await lab.exec("node1", [
      "bash",
      "-c",
      `command -v ${program} >/dev/null || exit 1; ${program}`,
    ]);
    assert.equal(code, 1, stdout);
  }
  const { stdout } = await lab.exec("node1", ["stat", "-c", "%t:%T", "/proc/sysrq-trigger"]);
  assert.ok(["1:3", ""].includes(stdout.trim()), `sysrq-trigger is ${stdout}`);
  for (const path of ["/run/x-of-lab", "/var/lib/heartline/x-of-lab", "/etc/x-of-lab"]) {
    assert.equal((await lab.exec("node1", ["touch", path])).code, 0, path);
    assert.ok(existsSync(lab.machine("node1").hostPath(path)), path);
    assert.ok(!existsSync(path), `${path} leaked`);
    assert.equal((await lab.exec("node2", ["test", "-e", path])).code, 1, `${path} is in both nodes`);
  }
});

labTest("configuration files are private to their node and to root", [], async (lab) => {
  writeConfig(lab);
  writeHaDirectory(lab);
  for (const path of [CONFIG_PATH, "/etc/ha.d/authkeys"]) {
    assert.equal(statSync(lab.machine("node2").hostPath(path)).mode & 0o777, 0o600);
    assert.equal((await lab.exec("node2", ["stat", "-c", "%a", path])).stdout.trim(), "600");
  }
});

labTest("destroy leaves no namespace, process, directory or signal listener", [], async (lab) => {
  lab.launch("node1", ["sleep", "1000"]);
  const inside = processesIn(lab, "node1");
  const id = lab.network.plan.id;
  assert.ok((await run("ip", ["netns", "list"])).includes(id));
  await lab.destroy();
  assert.ok(!(await run("ip", ["netns", "list"])).includes(id));
  assert.deepEqual(readdirSync(tmpdir()).filter((name) => name.startsWith(`${id}-`)), []);
  assert.deepEqual(inside.filter((pid) => existsSync(`/proc/${pid}`)), []);
  assert.equal(process.listenerCount("SIGINT") + process.listenerCount("SIGTERM"), 0);
});

const CHILD = `import { Lab } from ${
  JSON.stringify(new URL("../../scripts/lab/lab.ts", import.meta.url).href)
};
  const lab = await Lab.build({ prefix: "${PREFIX}" });
  lab.launch("node1", ["sleep", "1000"]);
  console.log("init " + lab.machine("node1").initPid);
  setInterval(() => {}, 1000);`;

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  labTest(
    `a laboratory ended by ${signal} leaves nothing that the next one does not remove`,
    [],
    async () => {
      const child = spawn(process.execPath, ["run", "-A", "-"], {
        cwd: fileURLToPath(new URL("../..", import.meta.url)),
        stdio: ["pipe", "pipe", "inherit"],
      });
      const closed = new Promise((resolve) => child.once("close", resolve));
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => output += chunk);
      child.stdin.end(CHILD);
      await waitFor(() => /init \d+\n/.test(output), "the child has built its laboratory", 90_000);
      const initPid = /init (\d+)/.exec(output)?.[1];
      const names = async () => (await run("ip", ["netns", "list"])).includes(`${PREFIX}-${child.pid}-`);
      assert.ok(await names());
      child.kill(signal);
      await closed;
      await waitFor(() => !existsSync(`/proc/${initPid}`), "the node's processes have ended");
      if (signal === "SIGKILL") {
        const next = await Lab.build({ prefix: PREFIX, nodes: 1 });
        await next.destroy();
      }
      assert.equal(await names(), false);
      assert.deepEqual(
        readdirSync(tmpdir()).filter((name) => name.startsWith(`${PREFIX}-${child.pid}-`)),
        [],
      );
    },
  );
}

/** Process ids, outside, of everything in the node's process namespace. */
function processesIn(lab: Lab, node: string): number[] {
  const initPid = lab.machine(node).initPid;
  const namespaceOf = (pid: string) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/pid`);
    } catch {
      return null;
    }
  };
  const wanted = namespaceOf(`${initPid}`);
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && namespaceOf(name) === wanted).map(
    Number,
  );
}
