/*
 * The UART benchmark: bytes from a client through its driver, over the wire,
 * through the other driver to the client at the other end, each of the four a
 * process. `make bench BENCH=uart` runs it, one row of its table a boot;
 * docs/benchmarks/uart.md says what is measured and how.
 *
 *   run=/bench/uart LOAD mode=M flow=F baud=N [place=busy] [ms=N] [batch=N]
 *                   [gather=N] [phase=N] [late=NS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/process.h>
#include <uinta/uart_config.h>
#include "row.h"

const char *const load_names[LOADS] = {"pingpong", "simplex", "duplex",
                                       "checksum", "mix"};

int64_t must(int64_t result, const char *what)
{
    if (result >= 0)
        return result;
    printf("uart: %s: %s\n", what, error_text(result));
    exit(1);
}

static _Noreturn void refuse(const char *word)
{
    printf("uart: '%s' is not known; there are: "
           "pingpong|simplex|duplex|checksum|mix "
           "mode=kernel|M (of /server/uart) "
           "flow=none|v1|v2|v3 baud=N place=alone|busy ms=N batch=1..16 "
           "gather=1..4096 phase=0..100000000 late=0..1000000000\n",
           word);
    exit(2);
}

static uint64_t number(const char *word, const char *value, uint64_t least,
                       uint64_t most)
{
    char *rest;
    uint64_t n = strtoul(value, &rest, 10);
    if (*rest || rest == value || n < least || n > most)
        refuse(word);
    return n;
}

static void read_word(struct row *row, const char *word)
{
    const char *value = strchr(word, '=');
    for (int load = 0; load < LOADS; load++)
        if (!strcmp(word, load_names[load])) {
            row->load = load;
            return;
        }
    if (!value++)
        refuse(word);
    if (!strncmp(word, "mode=", 5))
        row->mode = value, row->kernel = !strcmp(value, "kernel");
    else if (!strncmp(word, "flow=", 5))
        row->flow = value;
    else if (!strncmp(word, "baud=", 5))
        row->baud = number(word, value, 1, CLOCK_HZ / 16);
    else if (!strncmp(word, "ms=", 3))
        row->ms = number(word, value, 1, 1000 * 1000);
    else if (!strncmp(word, "batch=", 6))
        row->batch = number(word, value, 1, 16);
    else if (!strncmp(word, "gather=", 7))
        row->gather = number(word, value, 1, 4096);
    else if (!strncmp(word, "phase=", 6))
        row->phase = number(word, value, 0, 100 * 1000 * 1000);
    else if (!strncmp(word, "late=", 5))
        row->late = number(word, value, 0, 1000 * 1000 * 1000);
    else if (!strcmp(word, "place=busy") || !strcmp(word, "place=alone"))
        row->busy = word[6] == 'b';
    else
        refuse(word);
}

/* What the driver would refuse, said here: its own words go to the log. */
static void check(const struct row *row)
{
    char words[3][40], why[160];
    struct uart_config config = uart_config_default();
    snprintf(words[0], sizeof(words[0]), "--flow=%s", row->flow);
    snprintf(words[1], sizeof(words[1]), "--baud=%lu", row->baud);
    snprintf(words[2], sizeof(words[2]), "--mode=%s", row->mode);
    config.clock = CLOCK_HZ;
    bool fits = true;
    for (int i = 0; fits && i < (row->kernel ? 2 : 3); i++)
        fits = uart_config_word(&config, words[i], why, sizeof(why)) > 0;
    if (fits && uart_config_check(&config, why, sizeof(why)) == 0)
        return;
    printf("uart: %s%s\n", why,
           strstr(why, "--mode") ? "; and mode=kernel" : "");
    exit(2);
}

void row_parse(struct row *row, int argc, char **argv)
{
    *row = (struct row){.load = SIMPLEX,
                        .mode = "interrupt",
                        .flow = "v2",
                        .baud = 6250000,
                        .ms = 1000,
                        .batch = 1};
    for (int i = 0; i < argc; i++)
        read_word(row, argv[i]);
    check(row);
}

bool row_sends(const struct row *row, unsigned end)
{
    return end == 0 || row->load != SIMPLEX;
}

int main(int argc, char **argv)
{
    struct row row;
    if (argc > 1 && !strcmp(argv[1], "busy"))
        return busy_main();
    bool client = argc > 2 && !strcmp(argv[1], "client");
    int words = client ? 3 : 1;
    row_parse(&row, argc - words, argv + words);
    return client ? client_main(&row, argv[2][0] == 'b')
                  : measure(&row, argv + words);
}
