/* Both ways from a client to its UART: see port.h. */
#include "port.h"
#include <string.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include <uinta/stream.h>
#include <uinta/uart_config.h>
#include "gen/uart_client.h"
#include "kernel_uart.h"

/*
 * Capacity each way 16 KiB: a client is woken for 4 KiB, 6.5 ms at 6.25
 * Mbaud, and has three times that to run in.
 */
enum { STREAM_SIZE = 36 * 1024, UART_INPUT = 1 };

static handle_t notification;
static bool by_kernel;
static struct stream stream;

/* mode=kernel: between the caller's bytes and the kernel's copy. */
enum { BUFFER = 4096, KERNEL_RING = 16384 };
static struct {
    _Alignas(8) unsigned char bytes[BUFFER];
    uint64_t start, end;
} in, out;

static int64_t open_kernel(const struct row *row)
{
    int64_t bell = sys_doorbell_create(notification, EVENT_BELL);
    uint64_t flow = 0;
    if (bell < 0)
        return bell;
    while (strcmp(row->flow, uart_flow_name(flow)))
        flow++;
    return kernel_uart_open(startup_handle("irq"), startup_handle("mmio"), bell,
                            uart_divisor(CLOCK_HZ, row->baud) | flow << 16);
}

int64_t port_open(const struct row *row)
{
    notification = startup_handle("wait");
    by_kernel = row->kernel;
    if (by_kernel)
        return open_kernel(row);
    return stream_open(&stream, startup_handle("service"), notification,
                       EVENT_BELL, EVENT_LIFE, STREAM_SIZE, UART_INPUT);
}

int64_t port_in(unsigned char **span)
{
    if (!by_kernel)
        return ring_span(&stream.in, span);
    if (in.start == in.end) {
        int64_t n = kernel_uart_read(in.bytes, BUFFER);
        if (n <= 0)
            return n;
        in.start = 0;
        in.end = n;
    }
    *span = in.bytes + in.start;
    return in.end - in.start;
}

void port_took(uint64_t n)
{
    if (by_kernel) {
        in.start += n;
        return;
    }
    ring_publish(&stream.in, n);
    stream_kick(&stream);
}

/* What the kernel had no room for goes first; then the buffer is free. */
static int64_t write_kernel(void)
{
    while (out.start < out.end) {
        int64_t n =
            kernel_uart_write(out.bytes + out.start, out.end - out.start);
        if (n <= 0)
            return n;
        out.start += n;
    }
    out.start = out.end = 0;
    return 1;
}

int64_t port_out(unsigned char **span)
{
    if (!by_kernel)
        return ring_span(&stream.out, span);
    int64_t free = write_kernel();
    *span = out.bytes;
    return free <= 0 ? free : BUFFER;
}

int64_t port_gave(uint64_t n)
{
    if (by_kernel) {
        out.end = n;
        return write_kernel();
    }
    ring_publish(&stream.out, n);
    stream_kick(&stream);
    return n;
}

/* The deadline is no error here. */
static int64_t wait_notification(uint64_t deadline)
{
    int64_t events = sys_notification_wait(
        notification, EVENT_BELL | EVENT_LIFE | EVENT_STOP, deadline);
    return events == E_TIMEDOUT ? 0 : events;
}

int64_t port_flush(void)
{
    return by_kernel ? write_kernel() : 1;
}

int64_t port_wait(uint64_t in_want, uint64_t out_want, uint64_t deadline)
{
    if (by_kernel) {
        if (in_want && in.start < in.end)
            return 0;
        if (kernel_uart_arm(in_want, out_want))
            return 0;
        return wait_notification(deadline);
    }
    if (stream_arm(&stream, in_want, out_want)) {
        int64_t state = stream_state(&stream);
        return state < 0 ? state : 0;
    }
    int64_t events = wait_notification(deadline);
    if (in_want)
        ring_disarm(&stream.in);
    if (out_want)
        ring_disarm(&stream.out);
    if (events > 0)
        stream_event(&stream, events);
    return events;
}

static int64_t kernel_counters(volatile uint64_t count[UART_COUNTER_COUNT])
{
    static const uint8_t which[KERNEL_UART_COUNTERS] = {
        [KERNEL_UART_IN] = UART_BYTES_IN,
        [KERNEL_UART_OUT] = UART_BYTES_OUT,
        [KERNEL_UART_OVERRUNS] = UART_OVERRUNS,
        [KERNEL_UART_PARITY] = UART_PARITY_ERRORS,
        [KERNEL_UART_FRAMING] = UART_FRAMING_ERRORS,
        [KERNEL_UART_INTERRUPTS] = UART_INTERRUPTS,
        [KERNEL_UART_DOORBELLS] = UART_DOORBELLS,
        [KERNEL_UART_CLIENT_FULL] = UART_CLIENT_FULL,
    };
    for (uint64_t i = 0; i < KERNEL_UART_COUNTERS; i++)
        count[which[i]] = kernel_uart_count(i);
    return OK;
}

int64_t port_counters(volatile uint64_t count[UART_COUNTER_COUNT])
{
    uint64_t value[6];
    if (by_kernel)
        return kernel_counters(count);
    for (uint64_t first = 0; first < UART_COUNTER_COUNT; first += 6) {
        int64_t there = uart_counters(startup_handle("service"), first, value);
        if (there < 0)
            return there;
        for (uint64_t i = first; i < first + 6 && i < UART_COUNTER_COUNT; i++)
            count[i] = value[i - first];
    }
    return OK;
}

uint64_t port_gather(void)
{
    return by_kernel ? KERNEL_RING / 4 : stream.in.capacity / 4;
}
