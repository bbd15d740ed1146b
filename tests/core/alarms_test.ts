/** Alarms are raised once, last until their cause is over, and are cleared once. */

import assert from "node:assert/strict";
import { AlarmBook } from "../../lib/core/alarms.ts";
import { at } from "./samples.ts";

Deno.test("an alarm is reported when it is raised, and not again while it is active", () => {
  const book = new AlarmBook();
  assert.deepEqual(book.raise(at(100), "node-dead", "n2", "n2 is gone", { silentMs: 5 }), {
    kind: "report",
    level: "alarm",
    code: "node-dead",
    sentence: "n2 is gone",
    fields: { subject: "n2", silentMs: 5 },
  });
  assert.equal(book.raise(at(200), "node-dead", "n2", "n2 is still gone"), null);
  assert.equal(book.isActive("node-dead", "n2"), true);
});

Deno.test("it is cleared once, with how long it lasted, and may then be raised again", () => {
  const book = new AlarmBook();
  assert.equal(book.clear(at(50), "node-dead", "n2", "n2 is back"), null, "there was none");
  book.raise(at(100), "node-dead", "n2", "n2 is gone");
  book.raise(at(200), "node-dead", "n2", "n2 is gone");
  const cleared = book.clear(at(1_100), "node-dead", "n2", "n2 is back");
  assert.deepEqual([cleared?.level, cleared?.sentence, cleared?.fields], ["clear", "n2 is back", {
    subject: "n2",
    lastedMs: 1_000,
  }]);
  assert.equal(book.clear(at(1_200), "node-dead", "n2", "n2 is back"), null);
  assert.equal(book.isActive("node-dead", "n2"), false);
  assert.notEqual(book.raise(at(1_300), "node-dead", "n2", "n2 is gone"), null);
});

Deno.test("alarms of one code about two subjects, and of two codes about one, are different alarms", () => {
  const book = new AlarmBook();
  book.raise(at(100), "link-lost", "n2 hb0", "one");
  book.raise(at(200), "link-lost", "n2 hb1", "two");
  book.raise(at(300), "one-way", "n2 hb0", "three");
  book.clear(at(400), "link-lost", "n2 hb0", "over");
  assert.deepEqual(book.view(at(1_000)), [
    { code: "link-lost", subject: "n2 hb1", sentence: "two", sinceMs: 800 },
    { code: "one-way", subject: "n2 hb0", sentence: "three", sinceMs: 700 },
  ]);
});

Deno.test("on request an active alarm is said again, with how long it has lasted, and never more often than asked", () => {
  const book = new AlarmBook();
  assert.equal(book.repeat(at(0), "link-lost", "n2 hb0", 1_000), null, "there is none");
  book.raise(at(100), "link-lost", "n2 hb0", "hb0 is dead", { left: 1 });
  const said: number[] = [];
  for (let ms = 100; ms <= 4_000; ms += 100) {
    const again = book.repeat(at(ms), "link-lost", "n2 hb0", 1_000);
    if (again === null) continue;
    said.push(ms);
    assert.deepEqual([again.level, again.fields], ["alarm", {
      subject: "n2 hb0",
      left: 1,
      sinceMs: ms - 100,
    }]);
  }
  assert.deepEqual(said, [1_100, 2_100, 3_100]);
  assert.equal(book.repeat(at(9_000), "link-lost", "n2 hb0", 0), null, "0 is never");
  book.clear(at(9_100), "link-lost", "n2 hb0", "works");
  assert.equal(book.repeat(at(99_000), "link-lost", "n2 hb0", 1_000), null);
});
