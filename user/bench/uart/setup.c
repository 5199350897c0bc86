/*
 * The processes of a measurement and what each is given. Who runs where, by
 * the number of harts:
 *   1   all on one
 *   2   each end, driver and client, on a hart of its own
 *   4   driver a, driver b, client a, client b (mode=kernel: a driver is where
 *       its client is)
 * The one that measures sleeps meanwhile, and may run anywhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/child.h>
#include <uinta/clock.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include <uinta/spawn.h>
#include "abi/errors.h"
#include "gen/syscalls.h"
#include "measure.h"

enum { WORDS_MAX = 12, READY_STEPS = 2000 };
#define STEP_NS 1000000UL

static handle_t given(const char *name)
{
    handle_t handle = startup_handle(name);
    if (!handle) {
        printf("uart: no %s given: `make bench BENCH=uart` or MACHINE=native "
               "with run=/bench/uart does\n",
               name);
        exit(1);
    }
    return handle;
}

struct report *map_report(const char *name)
{
    void *at = map_memory(startup_handle(name), sizeof(struct report),
                          PROT_R | PROT_W);
    if (!at)
        must(E_NOMEM, name);
    return at;
}

static handle_t device_handle(const char *kind, unsigned end)
{
    char name[12];
    snprintf(name, sizeof(name), "%s%u", kind, SOURCE_A + end);
    return given(name);
}

static uint32_t driver_mask(const struct setup *s, unsigned end)
{
    return s->harts == 1 ? 1 : 1u << end;
}

static uint32_t client_mask(const struct setup *s, unsigned end)
{
    return s->harts < 4 || s->row->kernel ? driver_mask(s, end) : 4u << end;
}

static int64_t start(const char *path, char **argv,
                     const struct spawn_handle *handles, size_t count,
                     int priority, uint32_t mask)
{
    const struct spawn_options options = {
        .priority = priority,
        .handles = handles,
        .handle_count = count,
        .hart_mask = mask,
    };
    int64_t pid = spawn_program(path, argv, NULL, &options);
    if (pid < 0) {
        printf("uart: %s: cannot start: %s\n", path, spawn_reason());
        exit(1);
    }
    return pid;
}

static void start_driver(struct setup *s, unsigned end)
{
    struct end *e = &s->end[end];
    char mode[32], flow[16], baud[24], source[16], clock[24];
    snprintf(mode, sizeof(mode), "--mode=%s", s->row->mode);
    snprintf(flow, sizeof(flow), "--flow=%s", s->row->flow);
    snprintf(baud, sizeof(baud), "--baud=%lu", s->row->baud);
    snprintf(source, sizeof(source), "source=%u", SOURCE_A + end);
    snprintf(clock, sizeof(clock), "clock=%d", CLOCK_HZ);
    char *argv[] = {"uart",
                    mode,
                    flow,
                    baud,
                    source,
                    clock,
                    "offset=0",
                    "reg_shift=0",
                    strcmp(s->row->mode, "notify") ? "delivery=uintr"
                                                   : "delivery=notify",
                    NULL};
    const struct spawn_handle handles[] = {{"mmio", e->mmio, 0},
                                           {"irq", e->irq, 0},
                                           {"service", e->service, 0},
                                           {"log", s->system, R_WRITE}};
    e->driver = start("/server/uart", argv, handles, 4, PRIORITY_DRIVER,
                      driver_mask(s, end));
}

static void start_client(struct setup *s, unsigned end, char **words)
{
    struct end *e = &s->end[end];
    char *argv[WORDS_MAX + 4] = {"uart", "client", end ? "b" : "a"};
    for (int i = 0; words[i]; i++) {
        if (i == WORDS_MAX)
            must(E_LIMIT, "words on the command line");
        argv[3 + i] = words[i];
    }
    const struct spawn_handle handles[] = {
        {"mine", e->memory, 0},
        {"theirs", s->end[!end].memory, 0},
        {"wait", e->wait, 0},
        {"go", e->start, 0},
        /* mode=kernel: the device, which is not mapped; else its driver. */
        {s->row->kernel ? "mmio" : "service",
         s->row->kernel ? e->mmio : e->service, 0},
        {"irq", e->irq, 0}};
    e->client = start("/bench/uart", argv, handles, s->row->kernel ? 6 : 5,
                      PRIORITY_NORMAL, client_mask(s, end));
}

static void start_busy(struct setup *s, unsigned end)
{
    char *argv[] = {"uart", "busy", NULL};
    const struct spawn_handle handles[] = {{"mine", s->end[end].memory, 0}};
    start("/bench/uart", argv, handles, 1, 1, driver_mask(s, end));
}

/*
 * It counts its own rounds. What the kernel says of its time would not do: the
 * interrupts in which a driver works are in that of whoever they interrupted.
 */
int busy_main(void)
{
    struct report *mine = map_report("mine");
    uint64_t rounds = 0;
    static_assert(BUSY_ROUND == 3, "the instructions of the loop below");
    __asm__ volatile("1: addi %0, %0, 1\n"
                     "   sd %0, %1\n"
                     "   j 1b"
                     : "+r"(rounds), "=m"(mine->rounds));
    __builtin_unreachable();
}

static void make_end(struct setup *s, unsigned end)
{
    struct end *e = &s->end[end];
    e->mmio = device_handle("mmio", end);
    e->irq = device_handle("irq", end);
    e->memory =
        must(sys_memory_create(page_round(sizeof(struct report)), 0), "memory");
    e->report = map_memory(e->memory, sizeof(struct report), PROT_R | PROT_W);
    if (!e->report)
        must(E_NOMEM, "map");
    e->service = must(sys_endpoint_create(), "endpoint");
    e->wait = must(sys_notification_create(), "notification");
    e->start = must(sys_notification_create(), "notification");
    e->stop = must(sys_doorbell_create(e->wait, EVENT_STOP), "doorbell");
    e->go = must(sys_doorbell_create(e->start, 1), "doorbell");
}

static void check_process(int pid, const char *what, unsigned end)
{
    struct process_status status;
    if (!pid || child_status(pid, &status) < 0 || status.reason == EXIT_RUNNING)
        return;
    char how[96];
    child_describe(how, sizeof(how), &status);
    printf("uart: %s %c: %s\n", what, 'a' + end, how);
    exit(1);
}

void setup_check(const struct setup *s)
{
    for (unsigned end = 0; end < ENDS; end++) {
        const struct end *e = &s->end[end];
        if (e->report->error) {
            printf("uart: client %c: %s\n", 'a' + end,
                   e->report->error == E_NOSYS
                       ? "mode=kernel needs the benchmark's kernel, "
                         "build/kernel/kernel-bench.elf"
                       : error_text(e->report->error));
            exit(1);
        }
        check_process(e->driver, "driver", end);
        check_process(e->client, "client", end);
    }
}

static void wait_ready(const struct setup *s)
{
    for (int step = 0; step < READY_STEPS; step++) {
        setup_check(s);
        if (s->end[0].report->ready && s->end[1].report->ready)
            return;
        clock_sleep_ns(STEP_NS);
    }
    printf("uart: a client could not connect to its driver\n");
    exit(1);
}

void setup_start(struct setup *s, const struct row *row, char **words)
{
    struct hart_info info;
    s->row = row;
    s->system = given("system");
    while (sys_system_info(s->system, INFO_HART, s->harts, (uint64_t)&info,
                           sizeof(info)) == OK)
        s->harts++;
    for (unsigned end = 0; end < ENDS; end++)
        make_end(s, end);
    /* Drivers last: where they poll, there is little time for others. */
    for (unsigned end = 0; end < ENDS; end++)
        start_client(s, end, words);
    for (unsigned end = 0; end < ENDS && !row->kernel; end++)
        start_driver(s, end);
    wait_ready(s);
    if (row->busy)
        for (unsigned end = 0; end < ENDS && end < s->harts; end++)
            start_busy(s, end);
}

void setup_go(const struct setup *s)
{
    must(sys_doorbell_ring(s->end[0].go), "go");
    if (s->row->phase)
        clock_sleep_ns(s->row->phase);
    must(sys_doorbell_ring(s->end[1].go), "go");
}

uint64_t setup_interrupts(const struct setup *s, uint32_t source)
{
    struct irq_info info;
    for (uint64_t i = 0; sys_system_info(s->system, INFO_IRQ, i,
                                         (uint64_t)&info, sizeof(info)) == OK;
         i++)
        if (info.source == source)
            return info.direct + info.kernel;
    return 0;
}

uint64_t setup_instructions(const struct setup *s, int pid)
{
    struct process_info info;
    for (uint64_t i = 0; sys_system_info(s->system, INFO_PROCESS, i,
                                         (uint64_t)&info, sizeof(info)) == OK;
         i++)
        if ((int)info.pid == pid)
            return info.instructions;
    return 0;
}

const char *setup_delivery(const struct row *row)
{
    if (row->kernel || !strcmp(row->mode, "polling"))
        return "-";
    if (!strcmp(row->mode, "notify"))
        return "notify";
    /* A driver that cannot have them falls back to notifications. */
    static const char *const names[] = {"none", "emulated", "native"};
    return names[startup_get()->delivery];
}

static void ask_counters(const struct setup *s, unsigned end)
{
    struct report *r = s->end[end].report;
    r->ask = 1;
    must(sys_doorbell_ring(s->end[end].stop), "ask");
    for (int step = 0; step < READY_STEPS && !r->told; step++)
        clock_sleep_ns(STEP_NS);
    if (!r->told)
        must(E_TIMEDOUT, "counters");
}

void setup_print_counters(const struct setup *s)
{
    static const char *const names[] = {
        [UART_BYTES_IN] = "bytes_in",
        [UART_BYTES_OUT] = "bytes_out",
        [UART_OVERRUNS] = "overruns",
        [UART_PARITY_ERRORS] = "parity_errors",
        [UART_FRAMING_ERRORS] = "framing_errors",
        [UART_BREAKS] = "breaks",
        [UART_INTERRUPTS] = "interrupts",
        [UART_WAKEUPS] = "wakeups",
        [UART_DOORBELLS] = "doorbells",
        [UART_CLIENT_FULL] = "client_full",
        [UART_SESSIONS] = "sessions",
    };
    static_assert(sizeof(names) / sizeof(names[0]) == UART_COUNTER_COUNT,
                  "a counter has no name");
    for (unsigned e = 0; e < ENDS; e++) {
        const volatile uint64_t *count = s->end[e].report->count;
        ask_counters(s, e);
        printf(", \"counters_%c\": {", 'a' + e);
        for (unsigned i = 0; i < UART_COUNTER_COUNT; i++)
            printf("%s\"%s\": %lu", i ? ", " : "", names[i], count[i]);
        printf("}");
    }
}
