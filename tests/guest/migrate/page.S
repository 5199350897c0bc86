/* Takes the place of the library's entry.S in this program. */
#include "step.inc"
#include "user/lib/uintr/entry.S"
        steps   page_steps
