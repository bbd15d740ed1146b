/**
 * All bounds of what is read from the wire, in one place, so that no packet can cost more than a known amount of
 * memory or time. Whatever exceeds one is refused with the bound named. Each constant carries both dangers.
 */

/**
 * Largest UDP payload over IPv4. Higher cannot be sent. Lower would refuse what a real daemon may send; a message
 * that does not fit a link's MTU is fragmented by IP and lost whole when one fragment is.
 */
export const udpPacketBytesMax = 65_507;

/**
 * Largest packet on a serial line: 9 s at 19200 baud, which is too long for a heartbeat already. Lower refuses the
 * statements of nodes with some dozens of groups; higher blocks the line for everything else.
 */
export const serialPacketBytesMax = 16_384;

/**
 * Largest packet on any other medium: the limit of the real library. Lower refuses its messages; higher lets one
 * stranger on a stream medium hold that much memory for each connection.
 */
export const packetBytesMax = 262_144;

/**
 * Fields of one packet, those of nested messages counted too. Real messages have about 15, Pacemaker's some
 * hundreds. Too low refuses them; too high lets 64 KiB of empty fields become megabytes of objects.
 */
export const fieldsMax = 2_048;

/** Elements of all lists of one packet. The dangers are those of `fieldsMax`. */
export const listElementsMax = 4_096;

/**
 * Levels of nested messages: as many as there are substitutes for the newline (section 2). More cannot be written
 * as text; fewer refuses what the real library writes; without a bound 64 KiB of openings exhaust the stack.
 */
export const nestingMax = 16;

/** Bytes of a field's name. Real ones have up to 25. Too high only lets nonsense into error messages. */
export const nameBytesMax = 128;

/** Characters of `t`, too short for nothing known; too long makes log lines and tables grow by a peer's will. */
export const typeLengthMax = 64;

/** Characters of a node name: Linux allows 64 for `uname -n`. The dangers are those of `typeLengthMax`. */
export const nodeNameLengthMax = 64;

/**
 * Largest sequence number, generation, time stamp, epoch or version: 48 bits. A generation taken from Unix time needs
 * 32. Too low locks out a long-lived node; up to 2^53 our arithmetic would be exact no more when it counts on from
 * an absurd value that one faulty peer made up.
 */
export const counterMax = 2 ** 48 - 1;

/** Nodes a statement may tell of, as many as a cluster may have. */
export const statementNodesMax = 16;

/** Media of one node. Real ones have two or three; each costs every peer a state machine per node. */
export const statementMediaMax = 16;

/**
 * Groups of a statement. With 256 and long names a statement still fits a UDP packet (about 40 KiB); many more and
 * the heartbeat itself could not be sent.
 */
export const statementGroupsMax = 256;

/** Characters of a group's name: a haresources resource with its arguments, such as a Filesystem line. */
export const groupNameLengthMax = 128;

/** Characters of a statement's other strings: software version, hash, interface, address. */
export const statementTextLengthMax = 128;

/** Whole seconds of a lease: one day. A longer lease protects nobody; the kernel counts it in 32 bits. */
export const leaseSecondsMax = 86_400;

/** Numbers of probes fit eight hexadecimal digits (`probe_message.ts`). */
export const probeNumberMax = 0xffff_ffff;
