/** The far end of a measurement: whom it answers, and what it says where it cannot listen. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Authentication } from "../../lib/core/settings.ts";
import { EnvironmentError } from "../../lib/errors.ts";
import { ProbeListener } from "../../lib/probe/listener.ts";
import { Measurement } from "../../lib/probe/measurement.ts";
import { noAuthentication } from "../../lib/probe/questions.ts";
import { UdpProber } from "../../lib/probe/udp.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { probeBytesMin } from "../../lib/wire/probe_message.ts";

// Opens the native library before any test, so that no test is blamed for it.
monotonicMs();

const port = 26_943;

function key(secret: string): Authentication {
  return { signWith: 1, keys: [{ index: 1, method: "sha256", secret }], allowCrc: false };
}

function listener(authentication: Authentication, address = "127.0.0.1"): ProbeListener {
  return new ProbeListener({ node: "far", authentication, addresses: [address], port, serial: [] });
}

/** How many of some questions were answered. */
async function answered(authentication: Authentication, bytes: number, count = 5): Promise<number> {
  const target = { address: "127.0.0.1", port, device: null, local: null, group: null, description: null };
  const prober = new UdpProber(target, {
    ...{ measurement: randomBytes(8), path: 0, node: "near", to: null, bytes },
    seal: { format: "text", authentication },
    heardElsewhere: () => {},
  });
  const measurement = new Measurement({ intervalMs: 10, count, forMs: null, patienceMs: 300 }, [prober]);
  await measurement.run();
  return measurement.answeredCounts()[0]!;
}

Deno.test("with a key only who has it is answered, and the others are counted", async () => {
  const far = listener(key("right"));
  await far.open();
  try {
    assert.equal(await answered(key("right"), probeBytesMin), 5);
    assert.equal(far.refused, 0);
    assert.equal(await answered(key("wrong"), probeBytesMin), 0);
    assert.equal(await answered(noAuthentication, probeBytesMin), 0);
    assert.equal(far.refused, 10);
    assert.deepEqual([...far.askers.values()].map(({ heard, answered }) => [heard, answered]), [[5, 5]]);
  } finally {
    await far.close();
  }
});

Deno.test("packets of any size come back, also fragmented", async () => {
  const far = listener(noAuthentication);
  await far.open();
  try {
    for (const bytes of [1_472, 9_000, 65_507]) {
      assert.equal(await answered(noAuthentication, bytes, 2), 2, `${bytes}`);
    }
  } finally {
    await far.close();
  }
});

Deno.test("a port in use and an address of another machine are refused with the next step", async () => {
  const far = listener(noAuthentication);
  await far.open();
  try {
    await assert.rejects(listener(noAuthentication).open(), (error) => {
      return error instanceof EnvironmentError &&
        /the port is in use; .* name another port/.test(error.message);
    });
    await assert.rejects(
      listener(noAuthentication, "192.0.2.77").open(),
      /it is no address of this machine; see ip address/,
    );
  } finally {
    await far.close();
  }
});
