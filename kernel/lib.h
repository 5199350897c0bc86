/*
 * What freestanding C lacks: assert, min/max, lists, and the few functions
 * that are taken from the C library (newlib).
 * Callable from anywhere; no locks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/errors.h"
#include "abi/layout.h"

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);
char *strstr(const char *text, const char *part);

#ifndef static_assert
#define static_assert _Static_assert
#endif

/*
 * The end of the machine (panic.c): a kernel bug, or a machine it cannot run
 * on. Says why, through the firmware, and powers off with failure.
 */
_Noreturn void panic(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* An invariant: what must hold whatever user programs do. */
#define assert(condition)                                        \
    do {                                                         \
        if (__builtin_expect(!(condition), 0))                   \
            panic("%s: %s does not hold", __func__, #condition); \
    } while (0)

/*
 * A path that is measured in instructions: without a frame pointer, which costs
 * a leaf function eight. COLD: what is not to weigh on such a path.
 */
#define HOT  __attribute__((optimize("omit-frame-pointer")))
#define COLD __attribute__((noinline))

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

static inline bool page_aligned(uint64_t x)
{
    return (x & (PAGE_SIZE - 1)) == 0;
}

static inline uint64_t page_round(uint64_t x)
{
    return (x + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/*
 * Doubly linked ring with a head; an unlinked node points to itself, so that
 * list_remove is safe to call twice.
 */
struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

/* Before `at`: an element, or the head, and then it is the last one. */
static inline void list_push(struct list *at, struct list *node)
{
    *node = (struct list){at, at->prev};
    at->prev = at->prev->next = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_push(head->next, node);
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

#define container_of(ptr, type, member) \
    ((type *)((char *)(ptr)-offsetof(type, member)))

/* The element at the front; the list must not be empty. */
#define list_first(head, type, member) container_of((head)->next, type, member)

/* Every element e, linked by `member`; the body may remove that element. */
#define list_each_entry(type, e, head, member)                  \
    for (type *e = list_first(head, type, member),              \
              *e##_next = list_first(&e->member, type, member); \
         &e->member != (head);                                  \
         e = e##_next, e##_next = list_first(&e->member, type, member))

/* A failed call's negative enum error is the caller's result, too. */
#define TRY(call)              \
    do {                       \
        int64_t try_ = (call); \
        if (try_ < 0)          \
            return try_;       \
    } while (0)
