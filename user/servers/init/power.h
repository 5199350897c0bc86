/* What name_power(kind, code) of init can do (abi/uinta.idl). */
#ifndef INIT_POWER_H
#define INIT_POWER_H

enum power_kind {
    POWER_OFF, /* under QEMU: it ends with status 0 */
    POWER_REBOOT,
    POWER_STATUS /* QEMU ends with status `code`; elsewhere: off */
};

#endif
