/** Questions that the daemon sends over its own links for whoever measures them: answered, bounded, refused. */

import assert from "node:assert/strict";
import type { Settings } from "../../lib/core/settings.ts";
import { askIntervalMsMin, LinkRefusal } from "../../lib/runtime/link_asker.ts";
import { Messenger } from "../../lib/runtime/messenger.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { settings as clusterOf } from "../core/samples.ts";
import { FakeMedium } from "./fake_medium.ts";

// Opens the native library before any test, so that no test is blamed for it.
monotonicMs();

const link = "tcp:hb0";
const settings: Settings = {
  ...clusterOf(),
  media: [{ kind: "tcp", device: "hb0", peer: "10.0.0.2", local: null, port: 694 }],
  authentication: { signWith: 1, keys: [{ index: 1, method: "sha1", secret: "s" }], allowCrc: false },
};
const session = "0123456789abcde2";
const question = (number: number, to: string | null = "n2") => ({ session, number, to });

/** Two daemons on one link; what `isCarried` refuses is lost. */
async function pair(isCarried: () => boolean = () => true) {
  const uuid = new Uint8Array(16);
  const media = { n1: new FakeMedium(link), n2: new FakeMedium(link) };
  const messengers = (["n1", "n2"] as const).map((node) =>
    new Messenger(settings, { node, generation: 1, uuid }, [media[node]], () => {})
  );
  for (const messenger of messengers) await messenger.open();
  const joined = (from: FakeMedium, to: FakeMedium) => {
    from.send = (packet) => {
      from.sent.push(packet);
      if (isCarried()) queueMicrotask(() => to.arrive(packet));
    };
  };
  joined(media.n1, media.n2);
  joined(media.n2, media.n1);
  return { asker: messengers[0]!.asker, medium: media.n1 };
}

Deno.test("a question goes over the link that was named and comes back with what the far end heard", async () => {
  const { asker, medium } = await pair();
  await asker.ask(link, question(0), 1000);
  const found = await asker.ask(link, question(2), 1000);
  assert.equal(found?.answer.node, "n2");
  assert.deepEqual(found.answer.heard.slice(0, 4), [true, false, true, false]);
  assert.ok(found.roundTripMs >= 0 && found.roundTripMs < 1000, `${found.roundTripMs} ms`);
  assert.equal(medium.sent.length, 2);
});

Deno.test("what is lost, or meant for another node, has no answer within the wait", async () => {
  const { asker } = await pair(() => false);
  assert.equal(await asker.ask(link, question(0), 20), null);
  const whole = await pair();
  assert.equal(await whole.asker.ask(link, question(0, "n3"), 20), null);
});

Deno.test("an answer that nobody waits for changes nothing", async () => {
  const { asker, medium } = await pair();
  await asker.ask(link, question(0), 1000);
  const again = await asker.ask(link, question(1), 1000);
  assert.equal(medium.arrive(medium.sent[0]!), true);
  assert.equal(again?.answer.number, 1);
});

Deno.test("who asks too often is refused, and heartbeats keep their room", async () => {
  const { asker, medium } = await pair();
  const asked = await Promise.allSettled(
    Array.from({ length: 50 }, (_, n) => asker.ask(link, question(n), 1000)),
  );
  const refusals = asked.filter((each) => each.status === "rejected");
  assert.ok(refusals.length > 40, `${refusals.length} of 50 refused`);
  assert.ok(
    refusals.every(({ reason }) => reason instanceof LinkRefusal && /asked too often/.test(reason.message)),
  );
  assert.equal(medium.sent.length, 50 - refusals.length);
});

Deno.test("a link that is not there, or does not work, is named", async () => {
  const { asker, medium } = await pair();
  await assert.rejects(asker.ask("eth9", question(0), 10), /there is no link "eth9"; the links are tcp:hb0/);
  medium.localAddress = null;
  await assert.rejects(asker.ask(link, question(0), 10), /link "tcp:hb0" does not work at this moment/);
});

Deno.test("a serial line gives a tenth of itself to questions", () => {
  assert.equal(askIntervalMsMin({ kind: "serial", tty: "/dev/ttyS0", baud: 19_200 }), 2667);
  assert.equal(askIntervalMsMin(settings.media[0]!), 50);
});
