/** `heartline detect` between real machines: a VIP put on one, two or no node by hand, on any of three machines. */

import assert from "node:assert/strict";
import { type Segment, segmentTest, VIP, VIP6 } from "./segment.ts";

/** The same line for all machines. */
function everywhere(segment: Segment, vip = VIP): string[] {
  const family = vip.includes(":") ? 6 : 4;
  const [primary, standby] = [segment.address("node1", family), segment.address("node2", family)];
  return ["--vip", vip, "--primary", primary, "--standby", standby];
}

/** The verdicts of the primary, the standby and a third machine, asked at the same time. */
async function codes(segment: Segment, args: readonly string[]): Promise<string[]> {
  const nodes = ["node1", "node2", "node3"];
  return (await Promise.all(nodes.map((node) => segment.verdict(node, args)))).map(({ code }) => code);
}

for (const vip of [VIP, VIP6]) {
  segmentTest(
    `${vip} on the primary, on both, on the standby and on nobody is seen from all three machines`,
    { machines: 3 },
    async (segment) => {
      const args = everywhere(segment, vip);
      await segment.hold("node1", vip);
      assert.deepEqual(await codes(segment, args), ["held-here", "held-by-primary", "held-by-primary"]);
      await segment.hold("node2", vip);
      assert.deepEqual(await codes(segment, args), ["split-brain", "split-brain", "split-brain"]);
      await segment.drop("node1", vip);
      assert.deepEqual(await codes(segment, args), [
        "held-by-standby",
        "split-brain-likely",
        "held-by-standby",
      ]);
      await segment.drop("node2", vip);
      assert.deepEqual(await codes(segment, args), ["no-holder", "not-here", "no-holder"]);
    },
  );
}

segmentTest(
  "a stranger that answers for the address too is a second holder",
  { machines: 4 },
  async (segment) => {
    await segment.hold("node1");
    await segment.hold("node4");
    const report = await segment.verdict("node3", everywhere(segment));
    assert.equal(report.code, "split-brain");
    assert.match(report.verdicts[0].sentence, /\(none of the nodes\)/);
    const hardware = /\S+ \(none of the nodes\)/.exec(report.verdicts[0].sentence)![0].split(" ")[0]!;
    assert.equal(
      (await segment.verdict("node3", [...everywhere(segment), "--ignore", hardware])).code,
      "held-by-primary",
    );
  },
);

segmentTest("a taken-over address is a warning while the primary is silent on all paths", {
  machines: 2,
  links: 2,
}, async (segment) => {
  const link = ["--link", `hb0=${segment.network.address("node1", "hb0")}`];
  const args = ["--vip", VIP, "--primary", segment.address("node1"), "--service", "tcp:80", ...link];
  await segment.hold("node2");
  await segment.network.harm("node1", "all", { cut: true });
  assert.equal((await segment.verdict("node2", args)).code, "taken-over");
  await segment.network.harm("node1", "hb0", { cut: false });
  const report = await segment.verdict("node2", args);
  assert.equal(report.code, "split-brain-likely", "alive by the other link alone");
  assert.match(report.verdicts[0].why.join("\n"), /ICMP from 10\.77\.2\.1/);
  assert.equal(report.exitCode, 1);
});

segmentTest(
  "services of the primary: answering, refusing, hanging, failing",
  { machines: 2 },
  async (segment) => {
    await segment.hold("node2");
    const address = segment.address("node1");
    const listeners: Deno.Listener[] = [];
    const serve = (port: number, answer: string | null) => {
      const listener = segment.on("node1", () => Deno.listen({ hostname: address, port }));
      listeners.push(listener);
      void (async () => {
        for await (const connection of listener) {
          connections.push(connection);
          await connection.read(new Uint8Array(1024)).catch(() => {});
          if (answer !== null) {
            await connection.write(
              new TextEncoder().encode(`HTTP/1.1 ${answer}\r\nContent-Length: 0\r\n\r\n`),
            )
              .catch(() => {});
          }
        }
      })().catch(() => {});
    };
    const connections: Deno.Conn[] = [];
    try {
      serve(80, "200 OK");
      serve(81, "503 Service Unavailable");
      serve(82, null);
      const cases: ReadonlyArray<readonly [service: string, code: string, outcome: string]> = [
        [`http://${address}/health`, "split-brain", "answers"],
        ["tcp:80", "split-brain", "answers"],
        [`http://${address}:81/`, "split-brain-likely", "fails"],
        [`http://${address}:82/`, "split-brain-likely", "silent"],
        ["tcp:82", "split-brain", "answers"],
        ["tcp:83", "split-brain-likely", "refuses"],
        [`http://${address}/ --http-status 204`, "split-brain-likely", "fails"],
        [`http://${address}:81/ --http-status 200-503`, "split-brain", "answers"],
      ];
      const args = ["--vip", VIP, "--primary", address, "--window", "1500ms"];
      const reports = await Promise.all(
        cases.map(([service]) => segment.verdict("node2", [...args, "--service", ...service.split(" ")])),
      );
      for (const [index, [service, code, outcome]] of cases.entries()) {
        const { code: found, evidence, tookMs } = reports[index]!;
        const seen = evidence.find((piece: { kind: string }) => piece.kind === "service");
        assert.deepEqual([found, seen.outcome], [code, outcome], `${service}: ${JSON.stringify(seen)}`);
        assert.ok(tookMs < 10_000, `${service}: ${tookMs} ms`);
      }
    } finally {
      for (const listener of listeners) listener.close();
      for (const connection of connections) {
        try {
          connection.close();
        } catch {
          // Closed by the other end.
        }
      }
    }
  },
);

segmentTest("a service of the address itself is this machine's own, and no sign of the primary", {
  machines: 2,
}, async (segment) => {
  await segment.hold("node2");
  await segment.network.harm("node1", "all", { cut: true });
  const listener = segment.on("node2", () => Deno.listen({ hostname: VIP, port: 80 }));
  try {
    const args = ["--vip", VIP, "--primary", segment.address("node1"), "--service", `tcp:${VIP}:80`];
    const { code, verdicts } = await segment.verdict("node2", args);
    assert.equal(code, "taken-over");
    assert.match(verdicts[0].why.join("\n"), /accepts connections, which says nothing of primary/);
  } finally {
    listener.close();
  }
});

segmentTest("an ordinary user is told what was not seen, and which capability it takes", {
  machines: 2,
  programs: ["setpriv"],
}, async (segment) => {
  const before = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
  await segment.hold("node2");
  const args = ["--vip", VIP, "--primary", segment.address("node1"), "--service", "tcp:80"];
  const report = await segment.verdict("node2", args, before);
  // The refused connection shows that the machine lives.
  assert.equal(report.code, "split-brain-likely");
  const missing = report.unseen.map((piece: { source: string; capability: string }) => [
    piece.source,
    piece.capability,
  ]);
  assert.ok(
    missing.some(([source, capability]: string[]) => source === "neighbours" && capability === "CAP_NET_RAW"),
  );
  assert.ok(
    missing.some(([source, capability]: string[]) => source === "echo" && capability === "CAP_NET_RAW"),
  );
  const line = await segment.detect("node2", [...args, "--nagios"], before);
  assert.equal(line.code, 2);
  assert.match(line.stdout, /CAP_NET_RAW is missing \| /);
});

segmentTest(
  "an interface that is not there, or carries nothing, is said and is no silence",
  { machines: 2 },
  async (segment) => {
    await segment.hold("node2");
    const args = ["--vip", VIP, "--primary", segment.address("node1")];
    const absent = await segment.verdict("node2", [...args, "--dev", "eth7"]);
    assert.match(JSON.stringify(absent.unseen), /interface \\"eth7\\": there is none of that name/);
    const slip = await segment.verdict("node1", ["--vip", VIP, "--dev", "pub1"]);
    assert.deepEqual([slip.code, slip.exitCode], ["not-seen", 69], "the address answers ICMP all the same");
    assert.match(JSON.stringify(slip.unseen), /there is none of that name; did you mean \\"pub0\\"\?/);
    const unplaced = await segment.verdict("node1", ["--vip", "192.0.2.99"]);
    assert.deepEqual([unplaced.code, unplaced.exitCode], ["not-seen", 69]);
    assert.match(
      JSON.stringify(unplaced.unseen),
      /no interface .* has a subnet that holds it; name one with --dev/,
    );
    await segment.network.harm("node2", "pub0", { cut: true });
    const deaf = await segment.verdict("node2", [...args, "--explain"]);
    assert.equal(deaf.code, "taken-over-unverified");
    assert.equal(deaf.causes[0].code, "carrier");
  },
);
