import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Authentication, AuthenticationKey } from "../../lib/core/settings.ts";
import { type Message, type Refusal, stringField } from "../../lib/wire/message.ts";
import { token } from "../../lib/wire/authentication.ts";
import { decode, open, seal } from "../../lib/wire/packet.ts";
import { writeNetstring, writeTrailer } from "../../lib/wire/netstring.ts";
import { keys } from "./captures.ts";

const message: Message = {
  fields: [
    stringField("t", "status"),
    stringField("src", "node1"),
    stringField("seq", "1"),
    stringField("ts", "6b02705d"),
  ],
};
const formats = ["netstring", "text"] as const;
const one: AuthenticationKey = { index: 1, method: "sha1", secret: "first" };
const two: AuthenticationKey = { index: 2, method: "sha256", secret: "second" };
const crc: AuthenticationKey = { index: 3, method: "crc", secret: "" };

function authentication(signWith: number, ...keys: AuthenticationKey[]): Authentication {
  return { signWith, keys, allowCrc: false };
}

interface Case {
  readonly name: string;
  readonly sender: Authentication;
  readonly receiver: Authentication;
  readonly isPrivate?: boolean;
  /** `null`: accepted. */
  readonly refusal: Refusal | null;
}

const cases: readonly Case[] = [
  ...(["md5", "sha1", "sha256"] as const).map((method): Case => ({
    name: `${method} with the same key is accepted`,
    sender: keys(method, "s"),
    receiver: keys(method, "s"),
    refusal: null,
  })),
  {
    name: "another secret is refused",
    sender: keys("sha256", "a"),
    receiver: keys("sha256", "b"),
    refusal: "wrong-key",
  },
  {
    name: "another method is refused",
    sender: keys("md5", "a"),
    receiver: keys("sha1", "a"),
    refusal: "wrong-key",
  },
  {
    name: "an index that is not configured is refused",
    sender: authentication(2, two),
    receiver: authentication(1, one),
    refusal: "unknown-key",
  },
  {
    name: "every configured key verifies, so that a key can be rotated live: the new node signs with 2",
    sender: authentication(2, one, two),
    receiver: authentication(1, one, two),
    refusal: null,
  },
  {
    name: "and the old one still with 1",
    sender: authentication(1, one, two),
    receiver: authentication(2, one, two),
    refusal: null,
  },
  {
    name: "crc is refused where strangers reach",
    sender: authentication(3, crc),
    receiver: authentication(1, one, crc),
    refusal: "method-refused",
  },
  {
    name: "crc suffices on a private wire",
    sender: authentication(3, crc),
    receiver: authentication(3, crc),
    isPrivate: true,
    refusal: null,
  },
  {
    name: "crc is accepted where the operator allows it",
    sender: authentication(3, crc),
    receiver: { ...authentication(3, crc), allowCrc: true },
    refusal: null,
  },
  {
    name: "a keyed method without a secret is refused: everyone knows the empty key",
    sender: authentication(1, { ...one, secret: "" }),
    receiver: authentication(1, { ...one, secret: "" }),
    refusal: "method-refused",
  },
  {
    name: "without any key all is refused",
    sender: authentication(1, one),
    receiver: authentication(1),
    refusal: "unknown-key",
  },
];

for (const { name, sender, receiver, isPrivate = false, refusal } of cases) {
  for (const format of formats) {
    Deno.test(`${format}: ${name}`, () => {
      const opened = open(seal(message, { format, authentication: sender }), {
        authentication: receiver,
        isPrivate,
      });
      assert.equal(opened.ok ? null : opened.refusal, refusal, JSON.stringify(opened));
    });
  }
}

/** A packet labelled with one entry but made with the method and the secret given. */
function labelled(index: number, method: AuthenticationKey["method"], secret: string): Uint8Array {
  const body = writeNetstring(message);
  return Buffer.from(
    body + writeTrailer(`${index} ${token(method, secret, [Buffer.from(body, "latin1")])}`),
    "latin1",
  );
}

Deno.test("netstring: the method of the entry named with the key we sign with is accepted, as a real daemon does", () => {
  const receiver = { authentication: authentication(1, one, two), isPrivate: false };
  assert(open(labelled(2, "sha256", "first"), receiver).ok);
  assert.deepEqual(
    [labelled(2, "sha1", "first"), labelled(2, "sha1", "second"), labelled(1, "sha1", "second")]
      .map((packet) => open(packet, receiver).ok),
    [false, false, false],
  );
});

Deno.test("text: only the key of the entry named is accepted", () => {
  const sealed = seal(message, {
    format: "text",
    authentication: authentication(2, { ...two, secret: "first" }),
  });
  const opened = open(sealed, { authentication: authentication(1, one, two), isPrivate: false });
  assert.equal(opened.ok ? null : opened.refusal, "wrong-key");
});

Deno.test("netstring: an empty key that we sign with makes no forgery valid, whatever its method", () => {
  for (const empty of [crc, { ...crc, method: "sha1" as const }]) {
    const receiver = {
      authentication: { ...authentication(3, one, empty), allowCrc: true },
      isPrivate: true,
    };
    const opened = open(labelled(1, "sha1", ""), receiver);
    assert.equal(opened.ok ? null : opened.refusal, "wrong-key");
  }
});

Deno.test("text: blank lines are not part of what is signed", () => {
  const sealed = Buffer.from(seal(message, { format: "text", authentication: authentication(1, one) }))
    .toString();
  const spaced = Buffer.from(sealed.replaceAll("\n", "\n\n").slice(0, -1));
  assert(open(spaced, { authentication: authentication(1, one), isPrivate: false }).ok);
});

const claims = [
  "",
  "1",
  "1 ",
  " 1 ",
  "01 TOKEN",
  "1  TOKEN",
  "1 TOKEN ",
  "16 TOKEN",
  "-1 TOKEN",
  "+1 TOKEN",
  "1.0 TOKEN",
  "0x1 TOKEN",
  "1\tTOKEN",
  "1\nTOKEN",
];

for (const claim of claims) {
  Deno.test(`the authentication ${JSON.stringify(claim)} is no index and token`, () => {
    const body = writeNetstring(message);
    const genuine = token("sha1", "first", [Buffer.from(body, "latin1")]);
    const packet = Buffer.from(body + writeTrailer(claim.replace("TOKEN", genuine)), "latin1");
    const opened = open(packet, { authentication: authentication(1, one), isPrivate: false });
    assert.equal(opened.ok ? null : opened.refusal, "malformed");
  });
}

Deno.test("a token in upper case, shortened or lengthened is refused", () => {
  const body = writeNetstring(message);
  const genuine = token("sha1", "first", [Buffer.from(body, "latin1")]);
  const outcome = (text: string) => {
    const packet = Buffer.from(body + writeTrailer(`1 ${text}`), "latin1");
    return open(packet, { authentication: authentication(1, one), isPrivate: false }).ok;
  };
  assert.deepEqual(
    [genuine, genuine.toUpperCase(), genuine.slice(1), genuine.slice(0, -1), genuine + "0", "0" + genuine]
      .map(outcome),
    [true, false, false, false, false, false],
  );
});

Deno.test("no authentication at all is refused, whatever is allowed", () => {
  const everything = { authentication: { ...authentication(3, crc), allowCrc: true }, isPrivate: true };
  for (const packet of [writeNetstring(message), ">>>\nt=status\nsrc=node1\nseq=1\nts=1\n<<<\n"]) {
    const opened = open(Buffer.from(packet, "latin1"), everything);
    assert.equal(opened.ok ? null : opened.refusal, "no-authentication");
  }
});

Deno.test("the inner auth of a netstring packet proves nothing", () => {
  const text = decode(seal(message, { format: "text", authentication: authentication(1, one) }));
  assert(text.ok);
  const packet = Buffer.from(writeNetstring(text.message), "latin1");
  const opened = open(packet, { authentication: authentication(1, one), isPrivate: false });
  assert.equal(opened.ok ? null : opened.refusal, "no-authentication");
});

Deno.test("text: auth is left out of what is signed wherever it stands", () => {
  const sealed = Buffer.from(seal(message, { format: "text", authentication: authentication(1, one) }))
    .toString();
  const lines = sealed.split("\n").slice(1, -2);
  const auth = lines.pop()!;
  for (let at = 0; at <= lines.length; at++) {
    const moved = Buffer.from(`>>>\n${lines.toSpliced(at, 0, auth).join("\n")}\n<<<\n`);
    assert(
      open(moved, { authentication: authentication(1, one), isPrivate: false }).ok,
      `auth at line ${at}`,
    );
  }
});

Deno.test("signing with a key that is not there is a bug of ours", () => {
  assert.throws(
    () => seal(message, { format: "text", authentication: authentication(7, one) }),
    /^InvariantError: BUG/,
  );
});
