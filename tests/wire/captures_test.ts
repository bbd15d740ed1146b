import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { decode, open, seal } from "../../lib/wire/packet.ts";
import { encodeNetstring } from "../../lib/wire/netstring.ts";
import { encodeText } from "../../lib/wire/text.ts";
import { capture, captures } from "./captures.ts";

/** Known by counting with an independent decoder. */
const expected: Readonly<Record<string, number>> = {
  "auth-crc.pcap": 70,
  "auth-md5.pcap": 70,
  "cold-start-both.pcap": 189,
  "crash-node1-pub.pcap": 0,
  "crash-node1.pcap": 38,
  "join-failback-on.pcap": 78,
  "media-bcast.pcap": 142,
  "media-serial-1to2.raw": 81,
  "media-serial-2to1.raw": 121,
  "msgfmt-netstring.pcap": 69,
  "partition-heal.pcap": 493,
  "restart-failback-off.pcap": 252,
  "rexmit-long.pcap": 117,
  "rexmit.pcap": 72,
  "standby-all.pcap": 60,
  "steady.pcap": 84,
};

Deno.test("no recording is left out", () => {
  assert.deepEqual(Object.fromEntries(captures().map((each) => [each.name, each.packets.length])), expected);
});

for (const { name, packets, authentication, isSerial } of captures()) {
  if (packets.length === 0) continue;
  Deno.test(`every message of ${name} decodes, verifies and encodes to the same bytes`, () => {
    for (const packet of packets) {
      const decoded = decode(packet);
      assert(decoded.ok);
      assert.equal(decoded.encoding, isSerial ? "text" : "netstring");
      const encoded = isSerial
        ? encodeText(decoded.message)
        : encodeNetstring(decoded.message, decoded.claim);
      assert.deepEqual(Buffer.from(encoded), Buffer.from(packet));

      const opened = open(packet, { authentication, isPrivate: isSerial });
      assert(opened.ok, JSON.stringify(opened));
      assert.match(opened.message.source, /^node[12]$/);
      assert.equal(opened.message.sequence === null, opened.message.type.startsWith("NS_"));
    }
  });

  Deno.test(`every message of ${name} sealed by us differs from the daemon's by nothing but the inner auth`, () => {
    for (const packet of packets) {
      const decoded = decode(packet);
      assert(decoded.ok);
      const sealed = seal(decoded.message, { format: decoded.encoding, authentication });
      if (isSerial || name === "msgfmt-netstring.pcap") {
        assert.deepEqual(Buffer.from(sealed), Buffer.from(packet));
      } else {
        const again = decode(sealed);
        assert(again.ok);
        assert.deepEqual(
          again.message.fields,
          decoded.message.fields.filter((field) => field.name !== "auth"),
        );
      }
    }
  });
}

Deno.test("the inner auth of a classic daemon's netstring packet is the token of the same fields as text", () => {
  for (const { packets, authentication } of [capture("cold-start-both.pcap"), capture("auth-crc.pcap")]) {
    for (const packet of packets) {
      const decoded = decode(packet);
      assert(decoded.ok);
      const asText = encodeText(decoded.message);
      assert(open(asText, { authentication, isPrivate: false }).ok);
    }
  }
});
