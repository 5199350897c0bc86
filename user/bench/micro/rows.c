/* Rows: samples in, min, median, p99 and max out (nearest rank). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/process.h>
#include "micro.h"

enum { ROWS_MAX = 64 };

uint64_t samples[ROUNDS];

static struct {
    const char *name, *delivery, *unit;
    uint64_t divisor;
    uint64_t min, median, p99, max;
} rows[ROWS_MAX];
static int row_count;

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void row(const char *name, const char *delivery, const char *unit,
         uint64_t divisor)
{
    if (row_count == ROWS_MAX) {
        printf("micro: no room for row %s\n", name);
        exit(1);
    }
    qsort(samples, ROUNDS, sizeof(samples[0]), compare);
    rows[row_count].name = name;
    rows[row_count].delivery = delivery;
    rows[row_count].unit = unit;
    rows[row_count].divisor = divisor;
    rows[row_count].min = samples[0];
    rows[row_count].median = samples[(ROUNDS - 1) / 2];
    rows[row_count].p99 = samples[(ROUNDS * 99 + 99) / 100 - 1];
    rows[row_count].max = samples[ROUNDS - 1];
    row_count++;
    memset(samples, 0, sizeof(samples));
}

static void number(const char *field, uint64_t value, uint64_t divisor)
{
    if (divisor == 1)
        printf(", \"%s\": %lu", field, value);
    else
        printf(", \"%s\": %.2f", field, (double)value / (double)divisor);
}

void rows_print(void)
{
    for (int i = 0; i < row_count; i++) {
        printf("{\"name\": \"%s\", \"delivery\": \"%s\", \"unit\": \"%s\", "
               "\"n\": %d",
               rows[i].name, rows[i].delivery, rows[i].unit, ROUNDS);
        number("min", rows[i].min, rows[i].divisor);
        number("median", rows[i].median, rows[i].divisor);
        number("p99", rows[i].p99, rows[i].divisor);
        number("max", rows[i].max, rows[i].divisor);
        printf("}\n");
    }
}

int64_t must(int64_t result, const char *what)
{
    if (result >= 0)
        return result;
    printf("micro: %s: %s\n", what, error_text(result));
    exit(1);
}
