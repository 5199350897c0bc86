/* Takes the place of the library's contexts.S in this program. */
#include "step.inc"
#include "user/lib/uintr/contexts.S"
        steps   contexts_steps
