/* A byte through a ring, and the life of a program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/child.h>
#include <uinta/ring.h>
#include "micro.h"

/*
 * Both ends awake, 64 bytes at a time: the producer's side (write, ask whether
 * to ring) and the consumer's (read, ask whether to ring), one after the other
 * on the one hart; instructions of both together, for each byte.
 */
static void ring_bytes(const char *name, uint64_t bulk)
{
    enum { CAPACITY = 4096 };
    static struct ring_shared shared;
    static unsigned char data[CAPACITY];
    static unsigned char in[1024], out[1024];
    struct ring producer, consumer;

    must(ring_init(&producer, RING_PRODUCER, &shared, data, CAPACITY), "ring");
    must(ring_attach(&consumer, RING_CONSUMER, &shared, data, CAPACITY),
         "ring");
    for (int i = 0; i < ROUNDS; i++) {
        for (uint64_t j = 0; j < bulk; j++)
            in[j] = (unsigned char)(i + j);
        uint64_t start = count();
        int64_t wrote = ring_write(&producer, in, bulk);
        bool rung = ring_should_ring(&producer);
        int64_t read = ring_read(&consumer, out, bulk);
        rung |= ring_should_ring(&consumer);
        samples[i] = count() - start - COUNT_COST;
        if (wrote != (int64_t)bulk || read != wrote || rung ||
            memcmp(in, out, bulk))
            must(E_PROTOCOL, name);
    }
    row(name, "-", "instructions/byte", bulk);
}

/* /bin/true from the boot archive: path to the file server and all. */
static void spawn(void)
{
    char *argv[] = {"true", NULL};

    for (int i = 0; i < ROUNDS; i++) {
        struct process_status status = {0};
        uint64_t start = count();
        int64_t pid = spawn_program("/bin/true", argv, NULL, NULL);
        child_wait(must(pid, "spawn /bin/true"), 0, &status);
        samples[i] = count() - start - COUNT_COST;
        if (status.reason != EXIT_EXITED || status.code != 0)
            must(E_STATE, "/bin/true did not exit 0");
    }
    row("spawn-exit-wait", "-", "instructions", 1);
}

void measure_other(void)
{
    ring_bytes("ring-byte-64", 64);
    ring_bytes("ring-byte-1", 1);
    ring_bytes("ring-byte-1024", 1024);
    spawn();
}
