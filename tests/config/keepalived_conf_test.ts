import assert from "node:assert/strict";
import fc from "fast-check";
import { parseKeepalivedConf } from "../../lib/config/keepalived_conf.ts";

const text = `
! a comment
global_defs {
  vrrp_version 3   # of all that say nothing else
}
vrrp_instance one
{
  state MASTER
  interface eth1
  virtual_router_id 51
  priority 150
  advert_int 0.25
  unicast_peer {
    10.0.1.2
  }
  virtual_ipaddress {
    10.0.0.9/24 dev eth0
    fd00::0009/64
  }
  virtual_ipaddress_excluded {
    10.0.0.10/24
  }
}
vrrp_instance two {
  version 2
  interface eth0
  virtual_router_id 52
  authentication {
    auth_type PASS
    auth_pass longer-than-eight
  }
  virtual_ipaddress { 10.0.0.8 }
}
`;

Deno.test("the instances of a keepalived.conf are read as keepalived advertises them", () => {
  const shown = parseKeepalivedConf(text).instances.map((instance) => {
    const { name, device, version, routerId, priority, intervalMs, advertised, peers, authentication } =
      instance;
    return [name, device, version, routerId, priority, intervalMs, advertised, peers, authentication];
  });
  assert.deepEqual(shown, [
    ["one", "eth1", 3, 51, 150, 250, ["10.0.0.9", "fd00::9"], ["10.0.1.2"], { kind: "none" }],
    ["two", "eth0", 2, 52, null, 1000, ["10.0.0.8"], [], { kind: "password", password: "longer-t" }],
  ]);
});

Deno.test("any text is read without an exception", () => {
  const word = fc.constantFrom(
    "vrrp_instance",
    "x",
    "{",
    "}",
    "\n",
    "advert_int x",
    "virtual_router_id 1",
    "#",
    "!",
  );
  fc.assert(fc.property(fc.array(word), (words) => void parseKeepalivedConf(words.join(" "))));
  fc.assert(fc.property(fc.string(), (any) => void parseKeepalivedConf(any)));
});
