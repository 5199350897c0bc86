/*
 * A storm of two sources, by notification: each round both raise once, the RTC
 * a little later than the other, from 0 to 40 us in steps. Says how many
 * interrupts never came: none may be lost, but with the claim relay of k210
 * some always are (tests/test_relay.py).
 *
 * The other source is a virtio keyboard's status queue (-device
 * virtio-keyboard-device): QEMU takes a buffer from it, and raises, within the
 * very store that kicks it. Legacy registers [virtio 1.1, 4.2.4].
 */
#include "guest.h"
#include "rtc.h"

enum { ROUNDS = 400, STEP_NS = 100, RTC_BIT = 1, OTHER_BIT = 2 };
/*
 * An interrupt takes some 20 us, but a busy host stops a hart for long. Who has
 * waited long a few times in vain need not go on so.
 */
enum { PATIENCE_MS = 3000, LATER_MS = 5, ENOUGH = 3 };

/* Registers, in words. */
enum {
    MAGIC = 0x00 / 4,
    DEVICE = 0x08 / 4,
    PAGE_BYTES = 0x28 / 4,
    QUEUE = 0x30 / 4,
    QUEUE_LENGTH = 0x38 / 4,
    QUEUE_ALIGN = 0x3c / 4,
    QUEUE_PAGE = 0x40 / 4,
    KICK = 0x50 / 4,
    PENDING = 0x60 / 4,
    ACKNOWLEDGE = 0x64 / 4,
    STATUS = 0x70 / 4
};
enum { VIRTIO_MAGIC = 0x74726976, INPUT = 18, STATUS_QUEUE = 1, LENGTH = 4 };
enum { BUFFER = 2048, EV_LED = 0x11 }; /* offset in the queue's pages */

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

struct source {
    const char *name;
    handle_t irq, bell;
    uint64_t bit;
    unsigned lost;
};

static volatile uint32_t *keyboard;
static volatile uint16_t *available; /* flags, index, ring */
static handle_t note;

/* One buffer of eight bytes, which is always descriptor 0. */
static void queue_make(void)
{
    handle_t m = MUST(sys_memory_create(2 * PAGE_SIZE, MEMORY_CONTIGUOUS));
    uint64_t physical = MUST(sys_memory_phys(m, 0));
    char *at = map_memory(m, 2 * PAGE_SIZE, PROT_R | PROT_W);
    CHECK(at);
    *(struct descriptor *)at =
        (struct descriptor){.address = physical + BUFFER, .length = 8};
    *(uint16_t *)(at + BUFFER) = EV_LED; /* QEMU complains of others */
    available = (volatile uint16_t *)(at + LENGTH * sizeof(struct descriptor));
    keyboard[STATUS] = 0;
    keyboard[STATUS] = 1 | 2; /* acknowledged, driver */
    keyboard[PAGE_BYTES] = PAGE_SIZE;
    keyboard[QUEUE] = STATUS_QUEUE;
    keyboard[QUEUE_LENGTH] = LENGTH;
    keyboard[QUEUE_ALIGN] = PAGE_SIZE;
    keyboard[QUEUE_PAGE] = physical / PAGE_SIZE;
    keyboard[STATUS] = 1 | 2 | 4; /* and ready */
}

static void keyboard_find(struct source *s)
{
    char name[12];
    for (unsigned n = 1; n < 32; n++) {
        snprintf(name, sizeof(name), "mmio%u", n);
        handle_t mmio = startup_handle(name);
        if (!mmio || n == RTC_SOURCE)
            continue;
        volatile uint32_t *at = map_memory(mmio, PAGE_SIZE, PROT_R | PROT_W);
        CHECK(at);
        if (at[MAGIC] != VIRTIO_MAGIC || at[DEVICE] != INPUT) {
            unmap_memory((void *)at, PAGE_SIZE);
            continue;
        }
        snprintf(name, sizeof(name), "irq%u", n);
        keyboard = at;
        s->irq = startup_handle(name);
        return;
    }
    SKIP("no virtio keyboard: boot with -device virtio-keyboard-device");
}

static void keyboard_raise(void)
{
    available[1]++; /* every entry of the ring is descriptor 0 */
    __asm__ volatile("fence rw, rw" ::: "memory");
    keyboard[KICK] = STATUS_QUEUE;
}

static void bind(struct source *s)
{
    MUST(sys_irq_bind(s->irq, s->bell));
}

/* It came: complete it. It did not: it is lost; begin anew with the source. */
static void settle(struct source *s, bool came)
{
    if (came) {
        MUST(sys_irq_ack(s->irq));
        return;
    }
    s->lost++;
    MUST(sys_irq_release(s->irq));
    bind(s);
}

static void release(struct source *s)
{
    sys_irq_release(s->irq);
    sys_handle_close(s->bell);
}

TEST(storm_of_two_sources)
{
    struct source clock = {"rtc", 0, 0, RTC_BIT, 0};
    struct source other = {"keyboard", 0, 0, OTHER_BIT, 0};
    rtc_need();
    clock.irq = rtc_irq;
    keyboard_find(&other);
    queue_make();
    note = MUST(sys_notification_create());
    clock.bell = MUST(sys_doorbell_create(note, RTC_BIT));
    other.bell = MUST(sys_doorbell_create(note, OTHER_BIT));
    bind(&clock);
    bind(&other);
    for (unsigned i = 0; i < ROUNDS; i++) {
        bool patient = clock.lost + other.lost < ENOUGH;
        uint64_t until =
            clock_deadline((patient ? PATIENCE_MS : LATER_MS) * MS);
        uint64_t came = 0;
        rtc_alarm_in(i * STEP_NS);
        keyboard_raise();
        while (came != (RTC_BIT | OTHER_BIT)) {
            int64_t bits =
                sys_notification_wait(note, RTC_BIT | OTHER_BIT, until);
            if (bits < 0)
                break;
            came |= bits;
        }
        rtc_clear_at(rtc);
        keyboard[ACKNOWLEDGE] = keyboard[PENDING];
        settle(&clock, came & RTC_BIT);
        settle(&other, came & OTHER_BIT);
    }
    release(&clock);
    release(&other);
    sys_handle_close(note);
    unmap_memory((void *)keyboard, PAGE_SIZE);
    printf("# storm: %u rounds, lost: %s %u, %s %u\n", ROUNDS, clock.name,
           clock.lost, other.name, other.lost);
    CHECK(clock.lost + other.lost == 0);
}

TEST_MAIN
