/*
 * Our SBI extension: how the kernel asks the firmware which delivery of user
 * interrupts is in force (misa.N is not to be believed: a hart without N that
 * is emulated cannot show it).
 */
#ifndef ABI_SBI_UINTA_H
#define ABI_SBI_UINTA_H

#define SBI_EXT_UINTA      0x08554e54 /* experimental range, "UNT" */
#define SBI_UINTA_DELIVERY 0          /* returns DELIVERY_* of abi/startup.h */

#endif
