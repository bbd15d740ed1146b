import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { libc } from "../../lib/system/libc.ts";
import { type NeighbourClaim, NeighbourSocket } from "../../lib/system/neighbour.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import { hardwareText } from "../../lib/system/packets/ip_address.ts";
import { deviceOf, type Host, networkTest, type TestNetwork, until } from "./network.ts";

libc(); // opened once for all tests: it stays open

const vip = { 4: "10.9.0.9", 6: "fd09::9" } as const;

function open(network: TestNetwork, host: Host, family: 4 | 6): NeighbourSocket {
  return network.on(host, () => {
    const netlink = Netlink.open();
    const link = netlink.link(deviceOf[host])!;
    netlink.close();
    return NeighbourSocket.open(link, family);
  });
}

async function withSockets(sockets: NeighbourSocket[], fn: () => Promise<void>): Promise<void> {
  try {
    await fn();
  } finally {
    for (const socket of sockets) socket.close();
  }
}

/** Polls until the claim is there; what else is heard is kept for the message. */
async function expectClaim(socket: NeighbourSocket, wanted: Partial<NeighbourClaim>): Promise<void> {
  const heard: NeighbourClaim[] = [];
  const keys = Object.keys(wanted) as Array<keyof NeighbourClaim>;
  await until(`a claim ${JSON.stringify(wanted)} among ${JSON.stringify(heard)}`, () => {
    heard.push(...socket.poll());
    return heard.some((claim) => keys.every((key) => claim[key] === wanted[key]));
  });
}

/** tcpdump on host "a", ready; its lines are collected. */
async function listening(
  network: TestNetwork,
  filter: string,
): Promise<{ lines(): string; stop(): Promise<void> }> {
  const args = ["netns", "exec", network.name("a"), "tcpdump", "--immediate-mode", "-lnvei", "br0", filter];
  const child: ChildProcess = spawn("ip", args, { stdio: ["ignore", "pipe", "pipe"] });
  let lines = "";
  let errors = "";
  child.stdout!.on("data", (chunk) => lines += chunk);
  child.stderr!.on("data", (chunk) => errors += chunk);
  await until("tcpdump listens", () => errors.includes("listening on"));
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  return {
    lines: () => lines,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

for (const family of [4, 6] as const) {
  const what = family === 4 ? "ARP" : "ND";
  const address = vip[family];
  const prefix = family === 4 ? 24 : 64;

  networkTest(
    `${what}: a kernel that holds the address answers, with its hardware address`,
    [],
    async (network) => {
      network.ip("b", `addr add ${address}/${prefix} dev e0`);
      const [asker, holder] = [open(network, "a", family), open(network, "b", family)];
      await withSockets([asker, holder], async () => {
        asker.ask(address);
        const kind = family === 4 ? "reply" : "advertisement";
        await expectClaim(asker, { address, kind, hardware: hardwareText(holder.link.hardware) });
      });
    },
  );

  networkTest(`${what}: two kernels that hold the address both answer`, [], async (network) => {
    for (const host of ["b", "c"] as const) network.ip(host, `addr add ${address}/${prefix} dev e0`);
    const asker = open(network, "a", family);
    await withSockets([asker], async () => {
      asker.ask(address);
      const hardware = new Set<string>();
      await until("two hardware addresses", () => {
        for (const claim of asker.poll()) if (claim.address === address) hardware.add(claim.hardware);
        return hardware.size === 2;
      });
    });
  });

  networkTest(
    `${what}: an announcement moves the address in the table of a neighbour's kernel`,
    [],
    async (network) => {
      network.ip("a", `addr add ${family === 4 ? "10.9.0.1/24" : "fd09::1/64"} dev br0`);
      network.ip("a", `neigh replace ${address} lladdr 02:00:00:00:00:99 dev br0 nud stale`);
      const holder = open(network, "b", family);
      await withSockets([holder], async () => {
        holder.announce(address, "request");
        const shown = () => network.ip("a", `neigh show ${address} dev br0`);
        await until(
          "the neighbour has the new hardware address",
          () => shown().includes(hardwareText(holder.link.hardware)),
        );
      });
    },
  );

  networkTest(`${what}: a candidate's question is seen by a rival that asks too`, [], async (network) => {
    const [one, two] = [open(network, "b", family), open(network, "c", family)];
    await withSockets([one, two], async () => {
      two.listenFor(address);
      one.probe(address);
      await expectClaim(two, { address, kind: "probe", hardware: hardwareText(one.link.hardware) });
      assert.deepEqual(one.poll(), [], "what we sent ourselves is no claim");
    });
  });

  networkTest(
    `${what}: a holder is found also by a node without a link-local address`,
    [],
    async (network) => {
      network.ip("b", `addr add ${address}/${prefix} dev e0`);
      const [asker, holder] = [open(network, "c", family), open(network, "b", family)];
      network.ip("c", "-6 addr flush dev e0 scope link");
      await withSockets([asker, holder], async () => {
        asker.ask(address);
        await expectClaim(asker, { address, hardware: hardwareText(holder.link.hardware) });
      });
    },
  );

  networkTest(`${what}: a socket survives its interface going down and up`, [], async (network) => {
    network.ip("b", `addr add ${address}/${prefix} dev e0`);
    const asker = open(network, "c", family);
    await withSockets([asker], async () => {
      network.ip("c", "link set e0 down");
      assert.deepEqual(asker.poll(), []);
      assert.throws(() => asker.ask(address), /network is down/);
      network.ip("c", "link set e0 up");
      await until("an answer", () => {
        asker.ask(address);
        return asker.poll().some((claim) => claim.address === address);
      });
    });
  });

  networkTest(`${what}: an address of the other family is refused`, [], async (network) => {
    const socket = open(network, "b", family);
    await withSockets([socket], () => {
      for (const wrong of [vip[family === 4 ? 6 : 4], "nonsense"]) {
        assert.throws(() => socket.ask(wrong), new RegExp(`an IPv${family} address is expected`));
      }
      return Promise.resolve();
    });
  });
}

networkTest(
  "tcpdump reads our ARP announcements as meant, sent to everybody",
  ["tcpdump"],
  async (network) => {
    const capture = await listening(network, "arp");
    const socket = open(network, "b", 4);
    const own = hardwareText(socket.link.hardware);
    try {
      socket.announce(vip[4], "request");
      socket.announce(vip[4], "reply");
      await until("both are captured", () => capture.lines().includes("Reply"));
      const lines = capture.lines();
      assert.match(lines, new RegExp(`${own} > ff:ff:ff:ff:ff:ff.*Request who-has 10.9.0.9 tell 10.9.0.9`));
      assert.match(lines, new RegExp(`${own} > ff:ff:ff:ff:ff:ff.*Reply 10.9.0.9 is-at ${own}`));
    } finally {
      socket.close();
      await capture.stop();
    }
  },
);

networkTest(
  "tcpdump reads our neighbour advertisement as meant, with a right checksum",
  ["tcpdump"],
  async (network) => {
    const capture = await listening(network, "icmp6");
    const socket = open(network, "b", 6);
    const own = hardwareText(socket.link.hardware);
    try {
      socket.announce(vip[6], "reply");
      await until("it is captured", () => capture.lines().includes("option (2)"));
      const text = capture.lines().replaceAll(/\s+/g, " ");
      const expected = [
        `${own} > 33:33:00:00:00:01`,
        "hlim 255",
        "fd09::9 > ff02::1: [icmp6 sum ok] ICMP6, neighbor advertisement, length 32, tgt is fd09::9, Flags [override]",
        `destination link-address option (2), length 8 (1): ${own}`,
      ];
      for (const part of expected) assert.ok(text.includes(part), `"${part}" in ${text}`);
    } finally {
      socket.close();
      await capture.stop();
    }
  },
);

networkTest("announcements and probes of arping are read as what they are", ["arping"], async (network) => {
  network.ip("b", `addr add ${vip[4]}/24 dev e0`);
  const listener = open(network, "a", 4);
  const arping = (...options: string[]) =>
    spawnSync("ip", [
      "netns",
      "exec",
      network.name("b"),
      "arping",
      "-c",
      "1",
      "-w",
      "1",
      "-I",
      "e0",
      ...options,
    ]);
  await withSockets([listener], async () => {
    arping("-U", vip[4]);
    await expectClaim(listener, { address: vip[4], kind: "request", isGratuitous: true });
    arping("-A", vip[4]);
    await expectClaim(listener, { address: vip[4], kind: "reply", isGratuitous: true });
    arping("-D", "10.9.0.77");
    await expectClaim(listener, { address: "10.9.0.77", kind: "probe", isGratuitous: false });
  });
});

networkTest("ordinary IPv6 traffic does not reach the neighbour discovery socket", [], async (network) => {
  network.ip("a", "addr add fd09::1/64 dev br0");
  network.ip("b", "addr add fd09::2/64 dev e0");
  const listener = open(network, "a", 6);
  await withSockets([listener], async () => {
    const { EchoSocket } = await import("../../lib/system/icmp.ts");
    const echo = network.on("b", () => EchoSocket.open(6));
    try {
      const payload = new Uint8Array(1000);
      let answered = 0;
      await until("300 echo requests are answered", () => {
        echo.send("fd09::1", 1, 1, payload);
        answered += echo.poll().length;
        return answered > 300;
      });
    } finally {
      echo.close();
    }
    // Neighbour discovery between the two is all that was let in.
    const heard = listener.poll();
    assert.ok(heard.length > 0 && heard.length < 20, `${heard.length} claims`);
  });
});
