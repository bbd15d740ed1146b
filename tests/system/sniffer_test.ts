import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { libc } from "../../lib/system/libc.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import { readIpPacket, readUdp } from "../../lib/system/packets/ip_packet.ts";
import { addressText } from "../../lib/system/packets/ip_address.ts";
import { type SniffedPacket, Sniffer } from "../../lib/system/sniffer.ts";
import { deviceOf, type Host, networkTest, type TestNetwork, until } from "./network.ts";

libc(); // opened once for all tests: it stays open

function open(network: TestNetwork, host: Host, udpPorts: readonly number[]): Sniffer {
  return network.on(host, () => {
    const netlink = Netlink.open();
    const link = netlink.link(deviceOf[host])!;
    netlink.close();
    return Sniffer.open(link, { udpPorts });
  });
}

function addressed(network: TestNetwork): void {
  network.ip("a", "addr add 10.9.0.1/24 dev br0");
  network.ip("b", "addr add 10.9.0.2/24 dev e0");
  network.ip("a", "-6 addr add fd09::1/64 dev br0");
  network.ip("b", "-6 addr add fd09::2/64 dev e0");
}

/** Runs a line of bash, whose `> /dev/udp/ADDRESS/PORT` sends datagrams, in the host's namespace. */
function bash(network: TestNetwork, host: Host, line: string, input = ""): void {
  const args = ["netns", "exec", network.name(host), "bash", "-c", line];
  const ended = spawnSync("ip", args, { input, encoding: "utf8" });
  assert.equal(ended.status, 0, ended.stderr);
}

function send(
  network: TestNetwork,
  host: Host,
  datagrams: ReadonlyArray<readonly [text: string, port: number, to: string]>,
): void {
  const lines = datagrams.map(([text, port, to]) => `echo -n ${text} > /dev/udp/${to}/${port} || true`);
  bash(network, host, lines.join("\n"));
}

function texts(packets: readonly SniffedPacket[]): string[] {
  return packets.flatMap(({ bytes, direction }) => {
    const packet = readIpPacket(bytes);
    const udp = packet?.protocol === 17 ? readUdp(packet.payload) : null;
    if (packet === null || udp === null) return [];
    const text = new TextDecoder().decode(udp.payload);
    return [`${direction} ${addressText(packet.source)} ${udp.port} ${text}`];
  });
}

networkTest("only datagrams for the named ports come through, of both families", [], async (network) => {
  addressed(network);
  const sniffer = open(network, "a", [694, 7000]);
  const packets: SniffedPacket[] = [];
  try {
    send(network, "b", [
      ["other", 695, "10.9.0.1"],
      ["other", 80, "fd09::1"],
      ["one", 694, "10.9.0.1"],
      ["two", 7000, "fd09::1"],
      ["end", 7000, "10.9.0.1"],
    ]);
    await until("the last datagram is seen", () => {
      packets.push(...sniffer.poll());
      return texts(packets).some((text) => text.endsWith("end"));
    });
    assert.deepEqual(texts(packets), [
      "in 10.9.0.2 694 one",
      "in fd09::2 7000 two",
      "in 10.9.0.2 7000 end",
    ]);
    assert.equal(sniffer.droppedCount(), 0);
  } finally {
    sniffer.close();
  }
});

networkTest(
  "what a firewall drops is seen on its way in, and not seen on its way out",
  ["nft"],
  async (network) => {
    addressed(network);
    const rules = `table inet t {
      chain i { type filter hook input priority 0; udp dport 694 drop; }
      chain o { type filter hook output priority 0; udp dport 7000 drop; }
    }`;
    bash(network, "b", "nft -f -", rules);
    const sniffer = open(network, "b", [694, 7000, 7001]);
    const packets: SniffedPacket[] = [];
    try {
      send(network, "a", [["in", 694, "10.9.0.2"]]);
      send(network, "b", [["gone", 7000, "10.9.0.1"], ["out", 7001, "10.9.0.1"]]);
      await until("the last datagram is seen", () => {
        packets.push(...sniffer.poll());
        return texts(packets).some((text) => text.endsWith("out"));
      });
      assert.deepEqual(texts(packets), ["in 10.9.0.1 694 in", "out 10.9.0.2 7001 out"]);
    } finally {
      sniffer.close();
    }
  },
);

networkTest(
  "a flood that is not fetched is counted, and costs no more than its buffer",
  [],
  async (network) => {
    addressed(network);
    const sniffer = open(network, "a", [694]);
    try {
      const flood = "x=$(printf %01400d 0); for i in {1..2000}; do echo -n $x > /dev/udp/10.9.0.1/694; done";
      await until("packets are dropped", () => {
        bash(network, "b", flood);
        return sniffer.droppedCount() > 0;
      });
      assert(sniffer.poll().length <= 1024);
      assert(sniffer.droppedCount() > 0, "the count is kept when it was read");
    } finally {
      sniffer.close();
    }
  },
);
