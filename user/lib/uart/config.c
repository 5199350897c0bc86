/* The words of the command line, and the arithmetic of the baud rate. */
#include "uinta/uart_config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const modes[UART_MODES] = {"polling", "interrupt", "async",
                                              "async-unbuffered", "notify"};
static const char *const flows[UART_FLOWS] = {"none", "v1", "v2", "v3"};

const char *uart_mode_name(enum uart_mode mode)
{
    return modes[mode];
}

const char *uart_flow_name(enum uart_flow flow)
{
    return flows[flow];
}

struct uart_config uart_config_default(void)
{
    return (struct uart_config){.mode = UART_INTERRUPT,
                                .flow = UART_FLOW_NONE,
                                .baud = 115200,
                                .data_bits = 8,
                                .stop_bits = 1,
                                .parity = UART_PARITY_NONE,
                                .trigger = 0};
}

uint32_t uart_divisor(uint32_t clock, uint32_t baud)
{
    if (!baud)
        return 0;
    uint64_t bit = 16UL * baud;
    uint64_t divisor = (clock + bit / 2) / bit;
    if (divisor < 1 || divisor > 0xffff)
        return 0;
    /* |clock / (16 divisor) - baud| <= 2 % of baud */
    uint64_t made = bit * divisor;
    uint64_t off = made > clock ? made - clock : clock - made;
    return off * 50 <= made ? divisor : 0;
}

/* The value of option `name` if `word` is one, else NULL. */
static const char *value_of(const char *word, const char *name)
{
    size_t length = strlen(name);
    return strncmp(word, name, length) ? NULL : word + length;
}

static bool find(const char *text, const char *const *names, int count, int *at)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(text, names[i])) {
            *at = i;
            return true;
        }
    return false;
}

/* A whole number in C's notation, 1 .. 2^32 - 1. */
static bool number(const char *text, uint32_t *value)
{
    char *end;
    unsigned long n = strtoul(text, &end, 0);
    if (*text < '0' || *text > '9' || *end || n < 1 || n > UINT32_MAX)
        return false;
    *value = n;
    return true;
}

static bool word_format(struct uart_config *c, const char *text)
{
    static const char parities[] = "NOE"; /* as enum uart_parity */
    if (strlen(text) != 3 || text[0] < '5' || text[0] > '8' ||
        !strchr(parities, text[1]) || text[2] < '1' || text[2] > '2')
        return false;
    c->data_bits = text[0] - '0';
    c->parity = strchr(parities, text[1]) - parities;
    c->stop_bits = text[2] - '0';
    return true;
}

static bool trigger_level(struct uart_config *c, const char *text)
{
    uint32_t n;
    if (!number(text, &n) || (n != 1 && n != 4 && n != 8 && n != 14))
        return false;
    c->trigger = n;
    return true;
}

int uart_config_word(struct uart_config *c, const char *word, char *why,
                     size_t size)
{
    const char *v, *there_is;
    int at;
    if ((v = value_of(word, "--mode="))) {
        if (find(v, modes, UART_MODES, &at))
            return c->mode = at, 1;
        there_is = "polling, interrupt, async, async-unbuffered, notify";
    } else if ((v = value_of(word, "--flow="))) {
        if (find(v, flows, UART_FLOWS, &at))
            return c->flow = at, 1;
        there_is = "none, v1, v2, v3";
    } else if ((v = value_of(word, "--baud="))) {
        if (number(v, &c->baud))
            return 1;
        there_is = "a number of bits a second";
    } else if ((v = value_of(word, "--clock="))) {
        if (number(v, &c->clock))
            return 1;
        there_is = "a number of Hz";
    } else if ((v = value_of(word, "--word="))) {
        if (word_format(c, v))
            return 1;
        there_is = "data bits 5 to 8, parity N, E or O, stop bits 1 or 2, "
                   "such as 8N1";
    } else if ((v = value_of(word, "--trigger="))) {
        if (trigger_level(c, v))
            return 1;
        there_is = "1, 4, 8, 14";
    } else {
        return 0;
    }
    snprintf(why, size, "%s: not one of: %s", word, there_is);
    return -1;
}

int uart_config_check(struct uart_config *c, char *why, size_t size)
{
    if (!c->trigger)
        c->trigger = c->flow != UART_FLOW_NONE ? 8 : 14;
    if (c->flow != UART_FLOW_NONE && c->trigger == 14) {
        snprintf(why, size,
                 "--trigger=14: flow %s has batches of 8 bytes, so that two "
                 "fit into a FIFO: take 1, 4 or 8",
                 flows[c->flow]);
        return -1;
    }
    /* An unknown clock: the rate stays as the firmware set it. */
    if (c->clock && !uart_divisor(c->clock, c->baud)) {
        snprintf(why, size,
                 "--baud=%u: a clock of %u Hz cannot make it within 2 %%; it "
                 "makes %u divided by a whole number",
                 (unsigned)c->baud, (unsigned)c->clock,
                 (unsigned)(c->clock / 16));
        return -1;
    }
    return 0;
}
