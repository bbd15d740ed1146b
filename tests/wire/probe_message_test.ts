/** Probe messages: what is written is read, what is malformed is none, and an answer is never longer than its question. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { ProbeResponder } from "../../lib/probe/responder.ts";
import type { ClusterMessage } from "../../lib/wire/message.ts";
import { open, type SealOptions } from "../../lib/wire/packet.ts";
import {
  answeredBytesMin,
  answerFields,
  heardWindow,
  type ProbeAnswer,
  probeBytesMin,
  ProbeSealer,
  questionFields,
  readAnswer,
  readQuestion,
} from "../../lib/wire/probe_message.ts";

const authentication = {
  signWith: 1,
  keys: [{ index: 1, method: "sha256" as const, secret: "s" }],
  allowCrc: false,
};
const formats = ["netstring", "text"] as const;
const session = "00112233445566ff";

function opened(packet: Uint8Array): ClusterMessage {
  const result = open(packet, { authentication, isPrivate: false });
  assert.ok(result.ok);
  return result.message;
}

function ask(
  number: number,
  options: SealOptions,
  bytes = probeBytesMin,
  to: string | null = "n2",
): Uint8Array {
  return new ProbeSealer().seal(
    questionFields({ session, number, to }, "n1", 1_700_000_000),
    options,
    bytes,
  )!;
}

Deno.test("what is asked and answered is read as it was meant, in both encodings", () => {
  const answers = fc.record({
    number: fc.nat(),
    heardAtMs: fc.integer({ min: 0, max: 4e9 }),
    heard: fc.array(fc.boolean(), { minLength: heardWindow, maxLength: heardWindow }),
    copies: fc.nat(),
    reordered: fc.nat(),
    unanswered: fc.nat(),
    others: fc.uniqueArray(fc.nat(15), { maxLength: 6 }).map((paths) =>
      new Map(paths.map((path) => [path, path * 9]))
    ),
  });
  fc.assert(
    fc.property(answers, fc.constantFrom(...formats), (rest, format) => {
      const answer: ProbeAnswer = { session, node: "n2", ...rest };
      const packet = new ProbeSealer().seal(
        answerFields(answer, 1_700_000_000),
        { format, authentication },
        700,
      )!;
      assert.deepEqual(readAnswer(opened(packet)), answer);
    }),
    { numRuns: 100 },
  );
  for (const format of formats) {
    const question = readQuestion(opened(ask(77, { format, authentication })));
    assert.deepEqual(question, { session, number: 77, to: "n2" });
  }
});

Deno.test("a packet has the size that was asked for, to five bytes", () => {
  for (const format of formats) {
    for (let bytes = probeBytesMin; bytes < 1_600; bytes += 7) {
      const { length } = ask(5, { format, authentication }, bytes);
      assert.ok(length <= bytes && length >= bytes - 5, `${length} for ${bytes} as ${format}`);
    }
  }
});

Deno.test("the answer is never longer than the question, also with the longest node name", () => {
  const responder = new ProbeResponder("n".repeat(64));
  for (const format of formats) {
    const options = { format, authentication };
    for (let path = 1; path < 8; path++) {
      const fields = questionFields(
        { session: session.slice(0, 15) + path, number: 2 ** 31, to: null },
        "n1",
        1_700_000_000,
      );
      const other = new ProbeSealer().seal(fields, options, probeBytesMin)!;
      responder.answer(opened(other), "hb9", other.length, 1, options);
    }
    for (const bytes of [answeredBytesMin, probeBytesMin, 1_000, 9_000]) {
      const question = ask(bytes, options, bytes, null);
      const answer = responder.answer(opened(question), "hb0", question.length, 1, options);
      assert.ok(answer !== null && answer.length <= question.length);
    }
    const short = ask(9, options, answeredBytesMin - 9, null);
    assert.equal(responder.answer(opened(short), "hb0", short.length, 1, options), null);
  }
});

const options: SealOptions = { format: "netstring", authentication };

function answered(responder: ProbeResponder, number: number, nowMs: number): ProbeAnswer | null {
  const packet = responder.answer(opened(ask(number, options)), "hb0", probeBytesMin, nowMs, options);
  return packet === null ? null : readAnswer(opened(packet));
}

Deno.test("an answer tells which questions were heard, which twice, and which too late", () => {
  const responder = new ProbeResponder("n2");
  for (const number of [0, 1, 3, 3, 2]) answered(responder, number, number);
  const last = answered(responder, 6, 10)!;
  assert.deepEqual(last.heard.slice(0, 8), [true, false, false, true, true, true, true, false]);
  assert.deepEqual([last.copies, last.reordered, last.heardAtMs], [1, 1, 10]);
  const far = answered(responder, 6 + 2 * heardWindow, 11)!;
  assert.deepEqual(far.heard.filter(Boolean).length, 1);
});

Deno.test("an answer tells how many questions of the measurement were heard on other paths", () => {
  const responder = new ProbeResponder("n2");
  const onPath = (path: number, number: number) => {
    const fields = questionFields(
      { session: session.slice(0, 15) + path, number, to: null },
      "n1",
      1_700_000_000,
    );
    const packet = responder.answer(
      opened(new ProbeSealer().seal(fields, options, probeBytesMin)!),
      `hb${path}`,
      probeBytesMin,
      1,
      options,
    );
    return readAnswer(opened(packet!))!.others;
  };
  for (let number = 0; number < 5; number++) onPath(1, number);
  assert.deepEqual(onPath(0, 0), new Map([[1, 5]]));
});

Deno.test("a question for another node is not answered", () => {
  assert.equal(answered(new ProbeResponder("n3"), 0, 0), null);
});

Deno.test("a flood is answered up to the limit, and the asker is told how many were not", () => {
  const responder = new ProbeResponder("n2");
  let count = 0;
  for (let number = 0; number < 1_000; number++) if (answered(responder, number, 5) !== null) count++;
  assert.equal(count, 500);
  assert.equal(answered(responder, 1_000, 1_005)!.unanswered, 500);
});

Deno.test("nothing that is malformed is a question or an answer", () => {
  const packet = ask(1, options);
  for (const [from, to] of [["n=00000001", "n=0000001x"], ["session=0011", "session=zz11"]]) {
    const changed = opened(packet);
    const fields = changed.message.fields.map((field) =>
      field.type === 0 && `${field.name}=${field.value}`.startsWith(from!.slice(0, from!.length))
        ? { ...field, value: to!.split("=")[1]! }
        : field
    );
    assert.equal(readQuestion({ ...changed, message: { fields } }), null);
  }
  assert.equal(readAnswer(opened(packet)), null);
});
