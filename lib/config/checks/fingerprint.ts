/**
 * A short fingerprint of the settings that must agree on all nodes, so that nodes can see from a heartbeat that they
 * were configured differently. Left out is whatever may rightly differ: secrets and the signing key (which change one
 * node after the other), links and addresses, interface names, arbiters, delays, paths, and how a fencing
 * device is reached.
 */

import { createHash } from "node:crypto";
import type { ResourceSpec, Settings } from "../../core/settings.ts";

/** Raised when the meaning of the fingerprint changes. */
const fingerprintVersion = 1;

/** 16 hexadecimal digits; the same on every node that is configured alike. */
export function settingsHash(settings: Settings): string {
  const shared = [
    fingerprintVersion,
    settings.nodes.toSorted(),
    [
      settings.timing.keepaliveMs,
      settings.timing.deadTimeMs,
      settings.timing.warnTimeMs,
      settings.timing.initDeadMs,
    ],
    settings.authentication.keys.map((key) => [key.index, key.method]).toSorted((a, b) =>
      compare(a[0], b[0])
    ),
    settings.groups.toSorted((a, b) => compare(a.name, b.name)).map((group) => [
      group.name,
      group.nodes,
      group.failback.kind,
      group.failback.kind === "after" ? group.failback.ms : 0,
      group.monitorIntervalMs,
      group.onStopFail,
      group.waitForLease,
      group.retryAfterMs,
      group.resources.map((resource) => [
        sharedSpec(resource.spec),
        resource.startLimitMs,
        resource.stopLimitMs,
        resource.monitorLimitMs,
      ]),
    ]),
    settings.takeoverConfirm,
    ...sharedFencing(settings),
  ];
  return createHash("sha256").update(JSON.stringify(shared)).digest("hex").slice(0, 16);
}

/** Who can be fenced and who waits for whom; nothing without fencing, so that the fingerprint stays as it was. */
function sharedFencing({ fencing, nodes }: Settings): readonly unknown[] {
  if (fencing === null) return [];
  const each = nodes.toSorted().map((node) => [
    node,
    fencing.delayMs[node] ?? 0,
    fencing.devices.some(({ ports }) => Object.hasOwn(ports, node)),
  ]);
  return [[fencing.action, each]];
}

/** Interface, label and broadcast may differ from machine to machine. */
function sharedSpec(spec: ResourceSpec): readonly unknown[] {
  switch (spec.kind) {
    case "vip":
      return ["vip", spec.address, spec.prefix, spec.leaseSeconds];
    case "ha":
      return ["ha", spec.script, spec.args];
    case "lsb":
      return ["lsb", spec.script];
    case "ocf":
      return [
        "ocf",
        spec.provider,
        spec.type,
        Object.entries(spec.parameters).toSorted((a, b) => compare(a[0], b[0])),
      ];
    case "systemd":
      return ["systemd", spec.unit];
    case "exec":
      return ["exec", spec.path, spec.args];
  }
}

/** By code units: independent of the locale of the machine. */
function compare<T extends string | number | undefined>(a: T, b: T): number {
  if (a === b) return 0;
  return a === undefined || (b !== undefined && a < b) ? -1 : 1;
}
