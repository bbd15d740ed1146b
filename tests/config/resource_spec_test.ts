import assert from "node:assert/strict";
import fc from "fast-check";
import type { ResourceSpec, VipSpec } from "../../lib/core/settings.ts";
import { parseResourceSpec, type SpecOptions } from "../../lib/config/resource_spec.ts";

function vip(rest: Partial<VipSpec>): VipSpec {
  return {
    kind: "vip",
    address: "10.0.0.9",
    family: 4,
    prefix: null,
    device: null,
    label: null,
    broadcast: null,
    leaseSeconds: null,
    duplicateCheckMs: 10,
    announceRefreshMs: 60_000,
    ...rest,
  };
}

Deno.test("every form of a resource becomes its spec", () => {
  const full = vip({ prefix: 24, device: "eth0", label: "eth0:web", broadcast: "10.0.0.255" });
  const cases: readonly [string, ResourceSpec][] = [
    ["10.0.0.9", vip({})],
    ["10.0.0.9/24", vip({ prefix: 24 })],
    ["fd00::9/64/eth0", vip({ address: "fd00::9", family: 6, prefix: 64, device: "eth0" })],
    ["IPaddr::10.0.0.9/24/eth0", vip({ prefix: 24, device: "eth0" })],
    ["IPaddr2::10.0.0.9/24/eth0:web/10.0.0.255", full],
    ["IPaddr2::10.0.0.9/255.255.255.0/10.0.0.255", vip({ prefix: 24, broadcast: "10.0.0.255" })],

    ["IPv6addr::FD00::9/64", vip({ address: "fd00::9", family: 6, prefix: 64 })],
    ["vip:10.0.0.9/24", vip({ prefix: 24 })],
    ["vip:10.0.0.9/24 label=web dev=eth0 broadcast=10.0.0.255", full],
    [
      "vip:10.0.0.9 lease=5s duplicate-check=careful announce-refresh=off",
      vip({ leaseSeconds: 5, duplicateCheckMs: 250, announceRefreshMs: 0 }),
    ],
    ["vip:10.0.0.9 duplicate-check=rfc5227", vip({ duplicateCheckMs: 7000 })],
    ["vip:10.0.0.9 lease=auto", vip({ leaseSeconds: 1 })],
    ["apache::/etc/x.conf", { kind: "ha", script: "apache", args: ["/etc/x.conf"] }],
    ["Filesystem::/dev/sda1::/data::ext4", {
      kind: "ha",
      script: "Filesystem",
      args: ["/dev/sda1", "/data", "ext4"],
    }],
    ["httpd", { kind: "ha", script: "httpd", args: [] }],
    ["OCF::IPaddr2::ip=1", { kind: "ha", script: "OCF", args: ["IPaddr2", "ip=1"] }],
    ["lsb:nginx", { kind: "lsb", script: "nginx" }],
    ["systemd:nginx", { kind: "systemd", unit: "nginx.service" }],
    ["systemd:getty@tty1.service", { kind: "systemd", unit: "getty@tty1.service" }],
    ["systemd:data.mount", { kind: "systemd", unit: "data.mount" }],
    ["exec:/bin/thing -v 'two words'", { kind: "exec", path: "/bin/thing", args: ["-v", "two words"] }],
    [
      `ocf:heartbeat:IPaddr2 ip=10.0.0.9 options="a b"`,
      { kind: "ocf", provider: "heartbeat", type: "IPaddr2", parameters: { ip: "10.0.0.9", options: "a b" } },
    ],
  ];
  for (const [text, expected] of cases) {
    const { spec, problems } = parseResourceSpec(text);
    assert.deepEqual(problems, [], text);
    assert.deepEqual(spec, expected, text);
  }
});

Deno.test("what is no resource is refused where it goes wrong", () => {
  const cases: readonly [text: string, code: string, at: string, hint?: RegExp][] = [
    ["", "empty-resource", ""],
    ["lbs:nginx", "unknown-kind", "lbs", /lsb/],
    ["IPaddr2::10.0.0.256/24", "bad-address", "10.0.0.256"],
    ["IPaddr2", "bad-vip", "IPaddr2"],
    ["IPaddr2::10.0.0.9/24/eth0::x", "bad-label", "eth0::x"],
    ["IPaddr2::nonsense::x", "bad-vip", "IPaddr2::nonsense::x"],
    ["vip:10.0.0.9/33", "bad-prefix", "33"],
    ["vip:10.0.0.9/24/averyveryverylongname", "bad-device", "averyveryverylongname"],
    ["vip:10.0.0.9/24/eth0:muchtoolonglabel", "bad-label", "eth0:muchtoolonglabel"],
    ["vip:fd00::9/64/eth0:web", "bad-label", "eth0:web"],
    ["vip:10.0.0.9/24/eth0/nonsense", "bad-broadcast", "nonsense"],
    ["vip:10.0.0.9/24/eth0/10.0.0.255/more", "bad-vip", "more"],
    ["vip:224.0.0.5/24", "bad-address", "224.0.0.5"],
    ["vip:10.0.0.9/24 laese=5s", "unknown-option", "laese=5s", /lease/],
    ["vip:10.0.0.9/24 lease=500ms", "bad-option", "lease=500ms"],
    ["vip:10.0.0.9/24 label=web", "bad-option", "label=web"],
    ["vip:10.0.0.9/24 announce-refresh=10ms", "bad-option", "announce-refresh=10ms"],
    ["ocf:IPaddr2", "bad-resource", "IPaddr2"],
    ["ocf:heartbeat:IPaddr2 ip", "bad-parameter", "ip"],
    ["ocf:heartbeat:IPaddr2 ip=1 ip=2", "duplicate-parameter", "ip=2"],
    ["exec:thing", "bad-path", "thing"],
    ["httpd extra", "extra-word", "extra"],
    ["../../bin/sh", "bad-resource", "../../bin/sh"],
    ["lsb:../sh", "bad-resource", "../sh"],
  ];
  for (const [text, code, at, hint] of cases) {
    const { spec, problems } = parseResourceSpec(text);
    assert.equal(spec, null, text);
    const [problem] = problems;
    assert.equal(problem?.code, code, text);
    assert.equal(text.slice(problem!.span.offset, problem!.span.offset + problem!.span.length), at, text);
    if (hint !== undefined) assert.match(problem!.hint ?? "", hint, text);
  }
});

Deno.test("an IPaddr script is taken only where it exists and the own vip is switched off", () => {
  const scripts: ReadonlySet<string> = new Set(["IPaddr", "IPaddr2"]);
  const cases: readonly [Partial<SpecOptions>, ResourceSpec["kind"]][] = [
    [{}, "vip"],
    [{ scripts }, "vip"],
    [{ nativeVip: false }, "vip"],
    [{ nativeVip: false, scripts: new Set() }, "vip"],
    [{ nativeVip: false, scripts }, "ha"],
  ];
  for (const [options, kind] of cases) {
    for (const text of ["IPaddr2::10.0.0.9/24", "IPaddr::10.0.0.9", "10.0.0.9"]) {
      assert.equal(parseResourceSpec(text, options).spec?.kind, kind, `${text} ${JSON.stringify(options)}`);
    }
  }
});

Deno.test("no text makes the parser throw, and it gives either a spec or a problem inside the text", () => {
  const start = fc.constantFrom(
    "",
    "vip:",
    "ocf:",
    "exec:",
    "lsb:",
    "systemd:",
    "IPaddr2::",
    "10.0.0.",
    "vip:10.0.0.9/",
    "a::",
  );
  fc.assert(
    fc.property(start, fc.string({ unit: "binary", maxLength: 40 }), (begin, rest) => {
      const text = begin + rest;
      const { spec, problems } = parseResourceSpec(text);
      assert.equal(spec === null, problems.some((problem) => problem.severity === "error"));
      for (const { span } of problems) {
        assert.ok(span.offset >= 0 && span.offset + span.length <= text.length);
      }
    }),
    { numRuns: 2000 },
  );
});
