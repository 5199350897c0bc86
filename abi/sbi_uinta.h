/*
 * Our SBI extension: how the kernel asks the firmware which delivery of user
 * interrupts is in force (misa.N is not to be believed: a hart without N that
 * is emulated cannot show it), and how the firmware brings external interrupts
 * to an S-mode that gets none (docs/design/relay.md).
 */
#ifndef ABI_SBI_UINTA_H
#define ABI_SBI_UINTA_H

#define SBI_EXT_UINTA      0x08554e54 /* experimental range, "UNT" */
#define SBI_UINTA_DELIVERY 0          /* returns DELIVERY_* of abi/startup.h */

/*
 * Which relay is in force, RELAY_* below. The others are for the calling hart
 * and answer SBI_ERR_NOT_SUPPORTED under another relay than theirs.
 */
#define SBI_UINTA_RELAY 1

/*
 * claim, mask: a0 = physical address of an aligned 64-bit word of S-mode's,
 * where the firmware says what it raised SSIP for: claim: the source, which it
 * has claimed; mask: 1, mie.MEIE is masked. S-mode clears SSIP, then exchanges
 * the word with 0; finding 0 there, it was an IPI. Before this call external
 * interrupts stay masked.
 */
#define SBI_UINTA_RELAY_WORD 2

/* mask: S has claimed what there was and wants mie.MEIE set again. */
#define SBI_UINTA_RELAY_UNMASK 3

/*
 * call: a0 = physical address of `long handler(void *argument)`, a1 = its
 * argument; it runs in M-mode on the firmware's stack, without translation,
 * whatever sstatus.SIE is. It must make the line fall, or return other than 0
 * to have mie.MEIE masked until RELAY_UNMASK. One that traps is ended, and
 * the same done; so is one whose SBI call OpenSBI cannot answer to M-mode. a0 = 0: none, external interrupts stay masked.
 */
#define SBI_UINTA_RELAY_HANDLER 4

/*
 * A counter of this hart, a0 = 0: external interrupts taken in M-mode;
 * 1: claim: sources that the next one overwrote before S-mode took them;
 * 2: call: handlers that trapped; 3: call: cause of the last such trap.
 */
#define SBI_UINTA_RELAY_COUNT 5

enum { RELAY_NONE, RELAY_CLAIM, RELAY_CALL, RELAY_MASK };

#endif
