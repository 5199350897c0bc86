/* System reset, where OpenSBI's is not enough. Boot hart, cold boot. */
#ifndef UINTA_RESET_H
#define UINTA_RESET_H

/* Add a device that tells QEMU of a failure; nothing if there is none. */
void reset_init(void *fdt);

#endif
