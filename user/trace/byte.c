/*
 * A byte's way: this program is both ends. It puts a byte into UART 1 by hand,
 * and as the client of a driver of UART 2 reads it, so that the device's raise
 * is known to the nanosecond: it is when the byte has crossed the wire. It runs
 * on the first hart, the driver on the second; both sleep when that happens.
 *
 *   make trace MACHINE=native SMP=2 BOOTARGS='run=/trace/byte mode=interrupt'
 *
 * mode=M is the driver's (user/servers/uart), bytes=N how many are sent, each
 * when the one before has been read and all is quiet again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/child.h>
#include <uinta/clock.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include <uinta/spawn.h>
#include <uinta/stream.h>
#include <uinta/trace.h>
#include <uinta/uart_config.h>
#include "abi/info.h"
#include "gen/syscalls.h"

/*
 * Registers and bits [16550 table II]. Divisor 16 of 100 MHz is 390,625 baud, 10
 * bits take 25.6 us: by then this program sleeps.
 */
enum { THR = 0, DLL = 0, DLM = 1, FCR = 2, LCR = 3, MCR = 4 };
enum { LCR_8N1 = 3, LCR_DIVISOR = 0x80, MCR_DTR_RTS = 3, DIVISOR = 16 };
enum { SOURCE = 13, FRAME_NS = 25600, QUIET_NS = 200000, STREAM_SIZE = 8192 };

static int64_t must(int64_t result, const char *what)
{
    if (result >= 0)
        return result;
    printf("byte: %s: %s\n", what, error_text(result));
    exit(1);
}

static handle_t given(const char *name)
{
    handle_t h = startup_handle(name);
    if (h)
        return h;
    printf("byte: no %s given: use MACHINE=native and run=/trace/byte\n", name);
    exit(1);
}

static volatile uint8_t *sender_open(void)
{
    volatile uint8_t *uart =
        map_memory(given("mmio12"), PAGE_SIZE, PROT_R | PROT_W);
    if (!uart)
        must(E_NOMEM, "UART 1");
    uart[FCR] = 7; /* FIFOs on, empty */
    uart[LCR] = LCR_8N1 | LCR_DIVISOR;
    uart[DLL] = DIVISOR;
    uart[DLM] = 0;
    uart[LCR] = LCR_8N1;
    uart[MCR] = MCR_DTR_RTS;
    return uart;
}

/* Mask of the second hart, if there is one. */
static uint32_t other_hart(void)
{
    struct hart_info info;
    return sys_system_info(given("system"), INFO_HART, 1, (uint64_t)&info,
                           sizeof(info)) == OK
               ? 2
               : 1;
}

static handle_t driver_start(const char *mode)
{
    handle_t service = must(sys_endpoint_create(), "endpoint");
    char word[32];
    snprintf(word, sizeof(word), "--mode=%s", mode);
    char *argv[] = {"uart",          word,          "--flow=none",
                    "--baud=390625", "--trigger=1", NULL};
    const struct spawn_handle handles[] = {{"mmio", given("mmio13"), 0},
                                           {"irq", given("irq13"), 0},
                                           {"service", service, 0},
                                           {"log", given("system"), R_WRITE}};
    const struct spawn_options options = {.priority = PRIORITY_DRIVER,
                                          .hart_mask = other_hart(),
                                          .handles = handles,
                                          .handle_count = 4};
    if (spawn_program("/server/uart", argv, NULL, &options) < 0) {
        printf("byte: /server/uart: %s\n", spawn_reason());
        exit(1);
    }
    return service;
}

/* What the driver would refuse: it would say so in the log, and be gone. */
static bool mode_is_known(const char *mode)
{
    struct uart_config config = uart_config_default();
    char word[32], why[160];
    snprintf(word, sizeof(word), "--mode=%s", mode);
    if (uart_config_word(&config, word, why, sizeof(why)) > 0)
        return true;
    printf("byte: %s\n", why);
    return false;
}

static uint64_t now(void)
{
    uint64_t ns;
    __asm__ volatile("rdcycle %0" : "=r"(ns));
    return ns;
}

int main(int argc, char **argv)
{
    const char *mode = "interrupt";
    unsigned long bytes = 16;
    for (int i = 1; i < argc; i++) {
        char *end = "";
        if (!strncmp(argv[i], "mode=", 5))
            mode = argv[i] + 5;
        else if (!strncmp(argv[i], "bytes=", 6))
            bytes = strtoul(argv[i] + 6, &end, 10);
        else
            end = argv[i];
        if (*end) {
            printf("byte: '%s' is not known; there are mode=M and bytes=N\n",
                   argv[i]);
            return 2;
        }
    }
    if (!mode_is_known(mode))
        return 2;
    if (!strcmp(mode, "polling") && other_hart() == 1) {
        printf("byte: a polling driver leaves its hart to nobody: give the "
               "machine another one (SMP=2)\n");
        return 2;
    }
    must(sys_thread_set(0, -1, 1), "hart");
    volatile uint8_t *uart = sender_open();
    struct stream s;
    must(stream_open(&s, driver_start(mode), 0, 0, 0, STREAM_SIZE, 1),
         "driver");
    for (unsigned long i = 0; i < bytes; i++) {
        unsigned char got = 0;
        clock_sleep_ns(QUIET_NS);
        uart[THR] = (unsigned char)i;
        TRACE(TRACE_RAISED, SOURCE, now() + FRAME_NS);
        must(stream_read(&s, &got, 1, DEADLINE_NEVER), "read");
        if (got != (unsigned char)i) {
            printf("byte: %lu arrived as %u\n", i, got);
            return 1;
        }
    }
    printf("byte: %lu bytes\n", bytes);
    return 0;
}
