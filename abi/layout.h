/*
 * Where things are in a process's address space. All of it lies in the first
 * GiB, so that a small process needs one root, one middle and two leaf page
 * tables. Addresses in bytes.
 */
#ifndef ABI_LAYOUT_H
#define ABI_LAYOUT_H

#define PAGE_SIZE 4096UL

#define USER_TEXT           0x00010000UL /* programs are linked here */
#define USER_MAPS           0x10000000UL /* user/lib hands out mappings from here */
#define USER_MAPS_END       0x3f000000UL /* ... up to here */
#define USER_TRACE          0x3f000000UL /* TRACE_RING_SIZE bytes, if traced */
#define USER_STACK_TOP      0x3fff0000UL /* first stack; startup block above it */
#define USER_STARTUP        0x3fff0000UL /* 4 pages: struct startup and strings */
#define USER_UINTR_CONTEXTS 0x3fff6000UL /* 8 pages: U contexts by hart index */
#define USER_UINTR_PLIC     0x3fffe000UL /* the virtual PLIC context page */
#define USER_UINTR_STATS    0x3ffff000UL /* struct uintr_stats, see uintr.h */
#define USER_END            0x4000000000UL /* end of the user half under Sv39 */

#endif
