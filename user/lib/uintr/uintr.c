/*
 * The C half of user interrupts: handler tables that entry.S dispatches
 * through, and everything that is not on the way of a plain interrupt.
 */
#include <stddef.h>
#include "uinta/uintr.h"
#include "uinta/trace.h"
#include "abi/errors.h"

/* entry.S knows this layout: 16 bytes, indexed by source. */
struct uintr_handler {
    void (*call)(void *);
    void *arg;
};

_Static_assert(sizeof(struct uintr_handler) == 16, "entry.S shifts by 4");

/* The kernel fills them side by side in one table of the page tree. */
_Static_assert(USER_UINTR_PLIC == USER_UINTR_CONTEXTS + HARTS_MAX * PAGE_SIZE &&
                   USER_UINTR_STATS == USER_UINTR_PLIC + PAGE_SIZE &&
                   USER_UINTR_CONTEXTS >> 21 == USER_UINTR_STATS >> 21 &&
                   sizeof(struct uintr_stats) <= PAGE_SIZE,
               "abi/layout.h");

extern const char uintr_vectors[], uintr_vectors_retry[], uintr_vectors_rseq[];
extern const char uintr_rseq_start[], uintr_rseq_end[], uintr_rseq_abort[];
void uintr_take_recorded(void);
uint64_t uintr_take_next(void);
void uintr_timer_expired(void);

uint64_t uintr_unexpected;
uint64_t uintr_taken;

static void unexpected(void *arg)
{
    (void)arg;
    uintr_unexpected++;
}

/* No NULL test in the entries: an empty place has a handler that counts. */
struct uintr_handler uintr_sources[SOURCES_MAX] = {
    [0 ... SOURCES_MAX - 1] = {.call = unexpected}};
struct uintr_handler uintr_soft = {.call = unexpected};

static uint64_t unexpected_timer(void *arg)
{
    unexpected(arg);
    return DEADLINE_NEVER;
}

static struct {
    uint64_t (*call)(void *);
    void *arg;
} uintr_timer = {.call = unexpected_timer};

static int64_t begin(handle_t system, const char *vectors)
{
    int64_t delivery = sys_uintr_register(system);
    if (delivery < 0)
        return delivery;
    enum { VECTORED = 1 }; /* utvec.MODE [N 1.1] */
    uintr_csr_write(CSR_UIE, 0);
    uintr_csr_write(CSR_UTVEC, (uintptr_t)vectors | VECTORED);
    return delivery;
}

int64_t uintr_init(void)
{
    return begin(0, uintr_vectors);
}

int64_t uintr_init_retry(handle_t system)
{
    return begin(system, uintr_vectors_retry);
}

int64_t uintr_init_rseq(handle_t system)
{
    int64_t error =
        sys_thread_rseq((uintptr_t)uintr_rseq_start, (uintptr_t)uintr_rseq_end,
                        (uintptr_t)uintr_rseq_abort);
    return error ? error : begin(system, uintr_vectors_rseq);
}

/*
 * Replace a handler and its argument so that no interrupt sees one of the new
 * pair and one of the old.
 */
static void install(struct uintr_handler *place, void (*handler)(void *),
                    void *arg, uint64_t class)
{
    uint64_t saved = uintr_save();
    *place = (struct uintr_handler){handler ? handler : unexpected, arg};
    if (handler)
        uintr_csr_set(CSR_UIE, class);
    uintr_restore(saved);
}

int64_t uintr_on_source(uint32_t source, void (*handler)(void *), void *arg)
{
    if (source == 0 || source >= SOURCES_MAX)
        return E_ARG;
    install(&uintr_sources[source], handler, arg, UIRQ_EXT);
    return OK;
}

void uintr_on_soft(void (*handler)(void *), void *arg)
{
    install(&uintr_soft, handler, arg, UIRQ_SOFT);
}

void uintr_on_timer(uint64_t (*handler)(void *), void *arg)
{
    uint64_t saved = uintr_save();
    uintr_timer.call = handler ? handler : unexpected_timer;
    uintr_timer.arg = arg;
    if (handler)
        uintr_csr_set(CSR_UIE, UIRQ_TIMER);
    uintr_restore(saved);
}

int64_t uintr_bind(handle_t notification)
{
    return sys_uintr_bind(notification);
}

/*
 * Called by entry.S when the PLIC had nothing: sources that the kernel claimed
 * while this thread was off its hart. The claim is ours from take to
 * completion, and completing goes through the page of the hart we are on.
 */
void uintr_take_recorded(void)
{
    volatile uint32_t *complete =
        (volatile uint32_t *)(USER_UINTR_PLIC + PLIC_CLAIM);
    do {
        int64_t source = sys_uintr_take();
        if (source <= 0)
            break;
        uintr_taken++;
        struct uintr_handler *handler =
            source < SOURCES_MAX ? &uintr_sources[source] : &uintr_sources[0];
        TRACE(TRACE_CLAIM, source, 0);
        TRACE(TRACE_ENTER, source, 0);
        handler->call(handler->arg);
        TRACE(TRACE_EXIT, source, 0);
        *complete = (uint32_t)source;
        TRACE(TRACE_COMPLETE, source, 0);
        /* the kernel clears it with the last one */
    } while (uintr_csr_read(CSR_UIP) & UIRQ_EXT);
}

/* For contexts.S: one such source, 0 for none; it handles and completes it. */
uint64_t uintr_take_next(void)
{
    int64_t source = sys_uintr_take();

    if (source <= 0 || source >= SOURCES_MAX)
        return 0;
    uintr_taken++;
    TRACE(TRACE_CLAIM, source, 0);
    return (uint64_t)source;
}

/*
 * Between the look and the call: it does not sleep. Else it does no harm. Once
 * is enough for a handler, whatever it wakes.
 */
void uintr_woke_slow(void)
{
    extern const char uintr_sleep_look[], uintr_sleep_end[];
    uint64_t pc = uintr_csr_read(CSR_UEPC);

    uintr_falling_asleep = 0;
    if (pc >= (uintptr_t)uintr_sleep_look && pc < (uintptr_t)uintr_sleep_end)
        uintr_csr_write(CSR_UEPC, (uintptr_t)uintr_sleep_end);
}

void uintr_timer_expired(void)
{
    TRACE(TRACE_ENTER, -1, 0);
    uint64_t next = uintr_timer.call(uintr_timer.arg);
    TRACE(TRACE_EXIT, -1, 0);
    sys_uintr_timer(next);
}
