/*
 * The device outside of its hot path: taking it over, starting, errors.
 */
#include "port.h"

static uint8_t lcr_of(const struct uart_config *c)
{
    static const uint8_t parity[] = {[UART_PARITY_NONE] = 0,
                                     [UART_PARITY_ODD] = LCR_PARITY,
                                     [UART_PARITY_EVEN] =
                                         LCR_PARITY | LCR_EVEN};
    return (LCR_DATA_5 + c->data_bits - 5) | parity[c->parity] |
           (c->stop_bits == 2 ? LCR_STOP_2 : 0);
}

static uint8_t fcr_of(const struct uart_config *c)
{
    uint8_t trigger = c->trigger == 14  ? FCR_TRIGGER_14
                      : c->trigger == 8 ? FCR_TRIGGER_8
                      : c->trigger == 4 ? FCR_TRIGGER_4
                                        : 0;
    return FCR_ENABLE | trigger;
}

static void set_rate(struct uart *u, uint8_t lcr)
{
    uint32_t divisor = uart_divisor(u->config.clock, u->config.baud);
    if (divisor) {
        put(u, LCR, lcr | LCR_DLAB);
        put(u, DLL, divisor & 0xff);
        put(u, DLM, divisor >> 8);
    }
    put(u, LCR, lcr);
}

void uart_reset(struct uart *u, volatile void *base, unsigned reg_shift,
                const struct uart_config *config)
{
    bool flow = config->flow != UART_FLOW_NONE;
    *u = (struct uart){.config = *config,
                       .trigger = config->trigger,
                       .until_toggle = UART_FIFO / 2,
                       .owner = u->owner,
                       .context = u->context};
    for (unsigned r = 0; r < sizeof(u->reg) / sizeof(u->reg[0]); r++)
        u->reg[r] = (volatile uint8_t *)base + ((size_t)r << reg_shift);
    /*
     * Quiet first: the predecessor may have died anywhere. DLAB may be set,
     * and IER would be the divisor then.
     */
    put(u, LCR, lcr_of(config));
    put(u, IER, 0);
    set_rate(u, lcr_of(config));
    u->fcr = fcr_of(config);
    /* Enabling FIFOs that were off clears them by itself [8.5 FCR bit 0]. */
    put(u, FCR, u->fcr);
    /* DTR goes down when this end is silent, which is what that says. */
    uart_session_reset(u);
    u->mcr = MCR_OUT2 | (flow ? 0 : MCR_DTR | MCR_RTS);
    put(u, MCR, u->mcr);
    uint8_t lsr = get(u, LSR);
    if (!flow) /* of the byte that has been left there */
        u->careful = lsr & LSR_BYTE_ERRORS;
    get(u, IIR);
}

void uart_start(struct uart *u)
{
    bool flow = u->config.flow != UART_FLOW_NONE;
    ier_change(u, 0, IER_RECEIVE | IER_LINE | (flow ? IER_MODEM : 0));
    uint8_t msr = get(u, MSR);
    if (flow)
        uart_session(u, msr);
}

void uart_note_errors(struct uart *u, uint8_t lsr, uint64_t position)
{
    /* Where LSR bits are counted, from UART_ERROR_OVERRUN upwards. */
    static const uint8_t counters[] = {UART_OVERRUNS, UART_PARITY_ERRORS,
                                       UART_FRAMING_ERRORS, UART_BREAKS};
    for (unsigned i = 0; i < sizeof(counters); i++)
        if (lsr & LSR_OVERRUN << i)
            u->count[counters[i]]++;
    struct uart_error now = {position, lsr & LSR_ERRORS};
    /* More bytes of the same gap: the counter says how often. */
    if (now.what == LSR_OVERRUN && u->gap == position + 1)
        return;
    if (now.what & LSR_OVERRUN)
        u->gap = position + 1;
    u->errors[u->error_count++ % UART_ERRORS_KEPT] = now;
}

void uart_keep_errors(struct uart *u, uint8_t lsr, uint32_t since)
{
    u->careful |= lsr & LSR_BYTE_ERRORS;
    if (lsr & LSR_OVERRUN)
        uart_note_errors(u, LSR_OVERRUN,
                         (u->in ? u->in->own : u->place) - since + UART_FIFO -
                             1);
}

int64_t uart_error(const struct uart *u, uint64_t index, struct uart_error *e)
{
    if (index >= u->error_count)
        return E_NOENT;
    uint64_t kept =
        u->error_count < UART_ERRORS_KEPT ? u->error_count : UART_ERRORS_KEPT;
    if (index < u->error_count - kept) {
        *e = (struct uart_error){u->error_count - kept, 0};
        return E_RANGE;
    }
    *e = u->errors[index % UART_ERRORS_KEPT];
    return OK;
}

void uart_reset_counters(struct uart *u)
{
    for (int i = 0; i < UART_COUNTER_COUNT; i++)
        u->count[i] = 0;
}
