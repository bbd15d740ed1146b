import assert from "node:assert/strict";
import { InvariantError } from "../../lib/errors.ts";
import { SystemError } from "../../lib/system/errno.ts";
import { libc } from "../../lib/system/libc.ts";
import { inNetworkNamespace, networkNamespacePath } from "../../lib/system/namespaces.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import { networkTest } from "./network.ts";

libc(); // opened once for all tests: it stays open

function interfaceNames(): string[] {
  const netlink = Netlink.open();
  try {
    return netlink.links().map((link) => link.name).sort();
  } finally {
    netlink.close();
  }
}

networkTest(
  "the function sees the other network, and the thread is back afterwards, also after an error",
  [],
  (network) => {
    const home = interfaceNames();
    assert.deepEqual(network.on("a", interfaceNames), ["br0", "lo", "vb", "vc"]);
    assert.deepEqual(interfaceNames(), home);
    assert.throws(() =>
      network.on("a", () => {
        throw new RangeError("of the test");
      }), RangeError);
    assert.deepEqual(interfaceNames(), home);
    assert.throws(() => network.on("a", () => Promise.resolve()), InvariantError);
    assert.deepEqual(interfaceNames(), home);
  },
);

networkTest("a namespace that does not exist is an error that names it", [], () => {
  assert.throws(() => inNetworkNamespace(networkNamespacePath("no-such"), () => {}), (error) => {
    assert.ok(error instanceof SystemError);
    assert.match(error.message, /^Cannot enter network namespace "\/run\/netns\/no-such": no such file/);
    return true;
  });
});
