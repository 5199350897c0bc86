/* An unsorted table: 32 places are looked through in less than a page fault. */
#include "alarms.h"
#include "abi/errors.h"
#include "gen/syscalls.h"

static struct {
    uint64_t ns;
    handle_t doorbell; /* 0: free place */
} alarms[ALARMS_MAX];

int64_t alarms_add(uint64_t ns, handle_t doorbell)
{
    for (int i = 0; i < ALARMS_MAX; i++)
        if (!alarms[i].doorbell) {
            alarms[i].ns = ns;
            alarms[i].doorbell = doorbell;
            return OK;
        }
    return E_LIMIT;
}

void alarms_ring(uint64_t now)
{
    for (int i = 0; i < ALARMS_MAX; i++)
        if (alarms[i].doorbell && alarms[i].ns <= now) {
            sys_doorbell_ring(alarms[i].doorbell);
            sys_handle_close(alarms[i].doorbell);
            alarms[i].doorbell = 0;
        }
}

uint64_t alarms_next(void)
{
    uint64_t next = UINT64_MAX;

    for (int i = 0; i < ALARMS_MAX; i++)
        if (alarms[i].doorbell && alarms[i].ns < next)
            next = alarms[i].ns;
    return next;
}
