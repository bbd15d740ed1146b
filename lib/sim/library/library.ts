/**
 * The scenarios that come with the program, one for each cause of split brain that the field knows. The files beside
 * this one become part of the binary as texts; a scenario of this list can be run by its name.
 */

import powerOff from "./power-off.yaml" with { type: "text" };
import cutHeartbeatCable from "./cut-heartbeat-cable.yaml" with { type: "text" };
import deadSwitchBetween from "./dead-switch-between.yaml" with { type: "text" };
import firewallRule from "./firewall-rule.yaml" with { type: "text" };
import wrongInterfaceAddress from "./wrong-interface-address.yaml" with { type: "text" };
import mismatchedSettings from "./mismatched-settings.yaml" with { type: "text" };
import frozenMachine from "./frozen-machine.yaml" with { type: "text" };
import slowSwitchPort from "./slow-switch-port.yaml" with { type: "text" };
import stalledHost from "./stalled-host.yaml" with { type: "text" };
import oneWayLink from "./one-way-link.yaml" with { type: "text" };
import deadBackupLink from "./dead-backup-link.yaml" with { type: "text" };
import arbiterVanishes from "./arbiter-vanishes.yaml" with { type: "text" };
import gatewayOnBothSides from "./gateway-on-both-sides.yaml" with { type: "text" };
import fencingFails from "./fencing-fails.yaml" with { type: "text" };
import fenceLosesPower from "./fence-loses-power.yaml" with { type: "text" };
import fenceDuel from "./fence-duel.yaml" with { type: "text" };
import fenceDuelDelayed from "./fence-duel-delayed.yaml" with { type: "text" };
import selfRebootFails from "./self-reboot-fails.yaml" with { type: "text" };
import flappingLink from "./flapping-link.yaml" with { type: "text" };
import clockJump from "./clock-jump.yaml" with { type: "text" };

/** By name, the ordinary cases first. */
export const library: ReadonlyMap<string, string> = new Map([
  ["power-off", powerOff],
  ["cut-heartbeat-cable", cutHeartbeatCable],
  ["dead-switch-between", deadSwitchBetween],
  ["slow-switch-port", slowSwitchPort],
  ["firewall-rule", firewallRule],
  ["wrong-interface-address", wrongInterfaceAddress],
  ["mismatched-settings", mismatchedSettings],
  ["stalled-host", stalledHost],
  ["frozen-machine", frozenMachine],
  ["one-way-link", oneWayLink],
  ["dead-backup-link", deadBackupLink],
  ["arbiter-vanishes", arbiterVanishes],
  ["gateway-on-both-sides", gatewayOnBothSides],
  ["fencing-fails", fencingFails],
  ["fence-loses-power", fenceLosesPower],
  ["fence-duel", fenceDuel],
  ["fence-duel-delayed", fenceDuelDelayed],
  ["self-reboot-fails", selfRebootFails],
  ["flapping-link", flappingLink],
  ["clock-jump", clockJump],
]);
