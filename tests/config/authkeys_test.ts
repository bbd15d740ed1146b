import assert from "node:assert/strict";
import fc from "fast-check";
import { parseAuthKeys } from "../../lib/config/authkeys.ts";
import { checkHaFile, plainContext } from "../../lib/config/load.ts";
import { faults } from "./samples.ts";

Deno.test("keys are read as Heartbeat reads them, with sha256 added", () => {
  const { authKeys, findings } = parseAuthKeys(
    "# comment\n\nauth 2\n1 crc\n2 sha1 Secret-one\r\n  15 sha256\tSecret-two\n",
    "authkeys",
  );
  assert.deepEqual(findings.problems, []);
  assert.equal(authKeys.signWith?.value, 2);
  assert.deepEqual(authKeys.keys.map((key) => key.value), [
    { index: 1, method: "crc", secret: "" },
    { index: 2, method: "sha1", secret: "Secret-one" },
    { index: 15, method: "sha256", secret: "Secret-two" },
  ]);
});

Deno.test("everything wrong with authkeys is found at its place", () => {
  const cases: readonly [string, string[]][] = [
    ["", ["0:0 error missing-auth"]],
    ["1 sha1 LongSecret\n", ["0:0 error missing-auth"]],
    ["auth 2\n1 sha1 LongSecret\n", ["1:6 error undefined-key"]],
    ["1 sha1 LongSecret\nauth 1\n", ["2:1 warning auth-order"]],
    ["auth 1\n1 sha2 LongSecret\n", ["2:3 error unknown-method"]],
    ["auth 1\n1 sha1\n", ["2:3 error missing-secret"]],
    ["auth 1\n1 sha1 two words\n", ["2:12 error extra-word"]],
    ["auth 1\n1 sha1 LongSecret\n1 md5 LongSecret\n", ["3:1 error duplicate-key"]],
    ["auth 1\nauth 1\n1 sha1 LongSecret\n", ["2:1 error duplicate-auth"]],
    ["auth 16\n", ["1:6 error bad-index"]],
    ["auth\n", ["1:1 error missing-value"]],
    ["auht 1\n1 sha1 LongSecret\n", ["1:1 error unknown-word", "0:0 error missing-auth"]],
    ["auth 1\n1 sha1 short\n", ["2:1 warning weak-secret"]],
    ["auth 1\n1 crc\n", ["2:1 error crc-refused"]],
    ["auth 1\n1 crc secret\n", ["2:7 error extra-word"]],
  ];
  for (const [text, expected] of cases) {
    const result = checkHaFile("authkeys", { file: "authkeys", text }, plainContext(null));
    assert.deepEqual(faults(result), expected, text);
  }
});

Deno.test("no secret gets into a problem or a source, wherever it was misplaced", () => {
  const secret = "Hunter2Hunter2";
  const texts = [
    `auth 1\n1 sha1 ${secret}\n`,
    `auth 1\n1 ${secret}\n`,
    `auth 1\n1 sha3 ${secret}\n`,
    `auth 1\n1 sha1 x ${secret}\n`,
    `auth 1 ${secret}\n`,
    `auth ${secret}\n`,
    `secret ${secret}\n`,
    `auth 1\n99 sha1 ${secret}\n`,
  ];
  for (const text of texts) {
    const { problems, sources } = checkHaFile("authkeys", { file: "authkeys", text }, plainContext(null));
    assert.ok(!JSON.stringify([problems, sources]).includes(secret), text);
  }
});

Deno.test("no text makes the parser of authkeys throw", () => {
  const word = fc.constantFrom("auth", "1", "2", "sha1", "crc", "x", "\n", " ", "#", "\r", "\0", "99");
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: "binary" }), fc.array(word).map((all) => all.join(""))),
      (text) => {
        const { authKeys, findings } = parseAuthKeys(text, "authkeys");
        for (const { offset, length } of authKeys.secrets) {
          assert.ok(offset >= 0 && offset + length <= text.length);
        }
        assert.ok(findings.problems.length > 0 || authKeys.signWith !== null);
      },
    ),
  );
});
