import assert from "node:assert/strict";
import { PingArbiter } from "../../lib/arbiters/ping.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { EnvironmentError } from "../../lib/errors.ts";
import { type EchoReply, EchoSocket } from "../../lib/system/icmp.ts";
import { libc } from "../../lib/system/libc.ts";
import { internetChecksum } from "../../lib/system/packets/checksum.ts";
import { buildEchoRequest, echoRequestType, ipv4Payload } from "../../lib/system/packets/icmp_echo.ts";
import { AF, internetSocketAddress, NativeSocket, SOCK } from "../../lib/system/socket.ts";
import { networkTest, type TestNetwork, until } from "../system/network.ts";

libc(); // opened once for all tests: it stays open

function arbiter(targets: string[], now?: () => number): PingArbiter {
  return new PingArbiter({ name: "gateway", targets }, now);
}

/** Opens the arbiter in host "b", hands on who answered, and always closes it. */
async function withArbiter(
  network: TestNetwork,
  ping: PingArbiter,
  intervalMs: number,
  fn: (answers: string[]) => Promise<void>,
): Promise<void> {
  const answers: string[] = [];
  // Sockets are opened before the promise is returned, hence inside the namespace.
  let opened: Promise<void> | undefined;
  const openedAtMs = monotonicMs();
  network.on("b", () => {
    opened = ping.open(intervalMs, (target, askedAtMs) => {
      assert.ok(askedAtMs >= openedAtMs, "each proof is as old as its question");
      answers.push(target);
    });
  });
  await opened;
  try {
    await fn(answers);
  } finally {
    await ping.close();
  }
}

networkTest(
  "every target that answers is reported by its configured name, again and again",
  [],
  async (network) => {
    network.ip("a", "addr add 10.9.0.1/24 dev br0");
    network.ip("a", "addr add fd09::1/64 dev br0");
    network.ip("b", "addr add 10.9.0.2/24 dev e0");
    network.ip("b", "addr add fd09::2/64 dev e0");
    const silent = "10.9.0.77";
    await withArbiter(network, arbiter(["10.9.0.1", "FD09:0::1", silent]), 20, async (answers) => {
      for (const target of ["10.9.0.1", "FD09:0::1"]) {
        await until(`five answers of ${target}`, () => answers.filter((name) => name === target).length >= 5);
      }
      assert.ok(!answers.includes(silent));
    });
  },
);

networkTest(
  "answers end with the network and come back with it; no route is no error",
  [],
  async (network) => {
    network.ip("a", "addr add 10.9.0.1/24 dev br0");
    network.ip("b", "addr add 10.9.0.2/24 dev e0");
    await withArbiter(network, arbiter(["10.9.0.1"]), 20, async (answers) => {
      await until("an answer", () => answers.length > 0);
      network.ip("b", "addr del 10.9.0.2/24 dev e0");
      let before = -1;
      let since = performance.now();
      await until("no answer for 100 ms", () => {
        if (answers.length !== before) [before, since] = [answers.length, performance.now()];
        return performance.now() - since > 100;
      });
      network.ip("b", "addr add 10.9.0.2/24 dev e0");
      await until("an answer again", () => answers.length > before);
    });
  },
);

/** Requests and replies as they pass by: whatever identifier and token the arbiter drew. */
async function observedReply(sniffer: EchoSocket): Promise<EchoReply> {
  const replies: EchoReply[] = [];
  await until("a reply passes by", () => {
    replies.push(...sniffer.poll());
    return replies.length > 0;
  });
  return replies.at(-1)!;
}

function passed(ms: number, what: string): Promise<void> {
  const start = performance.now();
  return until(what, () => performance.now() - start > ms);
}

function forgeReply(socket: NativeSocket, to: string, reply: Omit<EchoReply, "from" | "waitedMs">): void {
  const packet = buildEchoRequest(4, reply);
  packet.set([0, 0, 0, 0]); // type echo reply, checksum to come
  new DataView(packet.buffer).setUint16(2, internetChecksum(packet));
  socket.send(packet, internetSocketAddress(to, 0), "forge a reply");
}

/** The next echo request that reaches a raw ICMP socket, whatever identifier and token the arbiter drew. */
async function observedRequest(socket: NativeSocket): Promise<Omit<EchoReply, "from" | "waitedMs">> {
  let request: Omit<EchoReply, "from" | "waitedMs"> | null = null;
  await until("a request arrives", () => {
    const received = socket.receive("watch requests");
    const message = received === null ? null : ipv4Payload(received.packet)!.slice();
    if (message?.[0] !== echoRequestType[4]) return false;
    const view = new DataView(message.buffer);
    request = { identifier: view.getUint16(4), sequence: view.getUint16(6), payload: message.subarray(8) };
    return true;
  });
  return request!;
}

networkTest(
  "forged, misdirected and replayed replies prove nothing, the right one does, once",
  [],
  async (network) => {
    network.ip("b", "addr add 10.9.0.2/24 dev e0");
    network.ip("a", "addr add 10.9.0.1/24 dev br0");
    network.ip("c", "addr add 10.9.0.3/24 dev e0");
    // The target is there and silent: all answers are of our making.
    network.sysctl("c", "net/ipv4/icmp_echo_ignore_all", "1");
    const sniffer = network.on("b", () => EchoSocket.open(4));
    const raw = (host: "a" | "c") => network.on(host, () => NativeSocket.open(AF.INET, SOCK.RAW, 1, "forge"));
    const [target, other] = [raw("c"), raw("a")];
    try {
      await withArbiter(network, arbiter(["10.9.0.3"]), 1000, async (answers) => {
        const asked = await observedRequest(target);
        const arrive = async (count: number) => {
          let arrived = 0;
          await until(`${count} replies arrived`, () => (arrived += sniffer.poll().length) >= count);
        };
        forgeReply(other, "10.9.0.2", asked);
        forgeReply(target, "10.9.0.2", { ...asked, payload: asked.payload.map((byte) => byte ^ 1) });
        forgeReply(target, "10.9.0.2", { ...asked, payload: asked.payload.subarray(1) });
        forgeReply(target, "10.9.0.2", { ...asked, sequence: asked.sequence + 1 });
        forgeReply(target, "10.9.0.2", { ...asked, identifier: asked.identifier ^ 1 });
        await arrive(5);
        await observedRequest(target); // before a request, all that waits is read
        assert.deepEqual(answers, []);

        const askedAgain = await observedRequest(target);
        forgeReply(target, "10.9.0.2", askedAgain);
        forgeReply(target, "10.9.0.2", askedAgain);
        await arrive(2);
        await observedRequest(target);
        assert.deepEqual(answers, ["10.9.0.3"]);
      });
    } finally {
      for (const socket of [sniffer, target, other]) socket.close();
    }
  },
);

networkTest(
  "an answer that is read long after its question, as after a stall, proves nothing",
  [],
  async (network) => {
    network.ip("a", "addr add 10.9.0.1/24 dev br0");
    network.ip("b", "addr add 10.9.0.2/24 dev e0");
    const sniffer = network.on("b", () => EchoSocket.open(4));
    let stalledMs = 0;
    try {
      const ping = arbiter(["10.9.0.1"], () => monotonicMs() + stalledMs);
      await withArbiter(network, ping, 1000, async (answers) => {
        stalledMs = 10_000; // before the first look
        await observedReply(sniffer);
        await passed(50, "the arbiter has looked at it");
        stalledMs = 0;
        await until("the first answer, of the second question", () => answers.length > 0);
        assert.equal(sniffer.poll().length, 1, "the first reply was passed over");
      });
    } finally {
      sniffer.close();
    }
  },
);

networkTest("an arbiter with a target that is no address is refused", [], async () => {
  await assert.rejects(arbiter(["10.9.0.1", "router"]).open(1000, () => {}), (error) => {
    assert.ok(error instanceof EnvironmentError);
    assert.match(error.message, /Cannot ping "gateway": target "router" is no IP address/);
    return true;
  });
});
