/*
 * Two devices in one process, both of which raise: the goldfish RTC, and a
 * virtio-rng, whose queue is served as [virtio 1.0, 4.2.4 legacy] says: QEMU
 * raises its line whenever it has filled a buffer. Needs QEMU's option
 * -device virtio-rng-device (tests/test_guest.py).
 */
#include <uinta/uintr.h>
#include "rtc.h"

enum virtio_reg {
    MAGIC = 0x000,
    DEVICE_ID = 0x008,
    GUEST_FEATURES = 0x020,
    GUEST_PAGE_SIZE = 0x028,
    QUEUE_SEL = 0x030,
    QUEUE_NUM = 0x038,
    QUEUE_ALIGN = 0x03c,
    QUEUE_PFN = 0x040,
    QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACK = 0x064,
    STATUS = 0x070
};

enum { VIRTIO_MAGIC = 0x74726976, VIRTIO_ENTROPY = 4, SLOTS = 8 };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4 };

/* One queue of four: table and available ring, then the used ring's page. */
enum { ENTRIES = 4, DESC_WRITE = 2, BUFFER = 2048, BYTES = 8 };

struct queue {
    struct {
        uint64_t address;
        uint32_t size;
        uint16_t flags, next;
    } desc[ENTRIES];
    uint16_t avail_flags, avail_index, avail[ENTRIES];
};

static uint64_t rng; /* where its registers are */
static handle_t rng_irq;
static uint32_t rng_source;
static volatile struct queue *queue;
static volatile uint64_t rtcs, rngs;

#define REG(r) (*(volatile uint32_t *)(rng + (r)))

static void on_rtc(void *arg)
{
    (void)arg;
    rtc_clear_at(rtc);
    rtcs++;
}

static void on_rng(void *arg)
{
    (void)arg;
    REG(INTERRUPT_ACK) = REG(INTERRUPT_STATUS);
    rngs++;
}

static void find_rng(void)
{
    char name[12];
    for (unsigned i = 1; i <= SLOTS; i++) {
        snprintf(name, sizeof(name), "mmio%u", i);
        handle_t mmio = startup_handle(name);
        if (!mmio)
            continue;
        rng = (uint64_t)map_memory(mmio, PAGE_SIZE, PROT_R | PROT_W);
        CHECK(rng);
        if (REG(MAGIC) == VIRTIO_MAGIC && REG(DEVICE_ID) == VIRTIO_ENTROPY) {
            snprintf(name, sizeof(name), "irq%u", i);
            rng_irq = MUST(startup_handle(name));
            rng_source = i;
            return;
        }
        unmap_memory((void *)rng, PAGE_SIZE);
    }
    SKIP("no virtio-rng: QEMU's option -device virtio-rng-device");
}

static void start_rng(void)
{
    handle_t memory = MUST(sys_memory_create(2 * PAGE_SIZE, MEMORY_CONTIGUOUS));
    uint64_t physical = MUST(sys_memory_phys(memory, 0));
    queue = map_memory(memory, 2 * PAGE_SIZE, PROT_R | PROT_W);
    CHECK(queue);
    queue->desc[0].address = physical + BUFFER;
    queue->desc[0].size = BYTES;
    queue->desc[0].flags = DESC_WRITE;
    REG(STATUS) = 0;
    REG(STATUS) = ACKNOWLEDGE | DRIVER;
    REG(GUEST_FEATURES) = 0;
    REG(GUEST_PAGE_SIZE) = PAGE_SIZE;
    REG(QUEUE_SEL) = 0;
    REG(QUEUE_NUM) = ENTRIES;
    REG(QUEUE_ALIGN) = PAGE_SIZE;
    REG(QUEUE_PFN) = physical / PAGE_SIZE;
    REG(STATUS) = ACKNOWLEDGE | DRIVER | DRIVER_OK;
}

/* Descriptor 0 once more: all entries of the available ring name it. */
static void raise_rng(void)
{
    queue->avail_index++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    REG(QUEUE_NOTIFY) = 0;
}

/* Registered once, owner of both, UIE set, counts 0. */
static void ready(void)
{
    NEED_UINTR();
    rtc_need();
    if (!rng_irq) {
        find_rng();
        start_rng();
        CHECK(MUST(uintr_init()) > 0);
        MUST(uintr_on_source(RTC_SOURCE, on_rtc, NULL));
        MUST(uintr_on_source(rng_source, on_rng, NULL));
        MUST(sys_irq_attach(rtc_irq));
        MUST(sys_irq_attach(rng_irq));
        uintr_csr_write(CSR_UIE, UIRQ_ALL);
    }
    uintr_enable();
    rtcs = rngs = uintr_unexpected = 0;
}

static bool during(uint64_t ms, uint64_t want_rtcs, uint64_t want_rngs)
{
    uint64_t until = clock_deadline(ms * MS);
    while (clock_ticks() < until && (rtcs != want_rtcs || rngs != want_rngs))
        ;
    return rtcs == want_rtcs && rngs == want_rngs;
}

enum { ROUNDS = 50, LONG_MS = 3000 };

TEST(each_has_its_handler)
{
    ready();
    EXPECT(sys_irq_attach(rng_irq), E_BUSY);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        rtc_raise_at(rtc);
        CHECK(during(LONG_MS, i, i - 1));
        raise_rng();
        CHECK(during(LONG_MS, i, i));
    }
    uintr_disable();
    EXPECT(uintr_unexpected, 0);
}

/* Both lines high before either is served: none hides the other. */
TEST(both_at_once)
{
    ready();
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uintr_disable();
        raise_rng();
        rtc_raise_at(rtc);
        uint64_t until = clock_deadline(LONG_MS * MS);
        while (!REG(INTERRUPT_STATUS) && clock_ticks() < until)
            ;
        EXPECT(rtcs + rngs, 2 * (i - 1));
        uintr_enable();
        CHECK(during(LONG_MS, i, i));
    }
    uintr_disable();
    EXPECT(uintr_unexpected, 0);
}

/* Both raise while the driver sleeps: the kernel keeps both. */
TEST(both_while_asleep)
{
    ready();
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uintr_disable();
        raise_rng();
        rtc_raise_at(rtc);
        clock_sleep_ns(2 * MS);
        EXPECT(rtcs + rngs, 2 * (i - 1));
        uintr_enable();
        CHECK(during(LONG_MS, i, i));
    }
    uintr_disable();
    EXPECT(uintr_unexpected, 0);
}

/* The handler of one lets the other in while the driver is in uintr_pause(). */
static void nesting_rtc(void *arg)
{
    struct uintr_nest nest;
    on_rtc(arg);
    raise_rng();
    uint64_t until = clock_deadline(LONG_MS * MS), before = rngs;
    while (!REG(INTERRUPT_STATUS) && clock_ticks() < until)
        ;
    uintr_nest_begin(&nest);
    while (rngs == before && clock_ticks() < until)
        ;
    uintr_nest_end(&nest);
}

TEST(both_in_a_pause)
{
    ready();
    uintr_disable();
    uintr_on_source(RTC_SOURCE, nesting_rtc, NULL);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        if (i % 2)
            rtc_raise_at(rtc);
        else
            rtc_alarm_in(MS);
        uintr_pause();
        EXPECT(rtcs, i);
        EXPECT(rngs, i);
    }
    uintr_on_source(RTC_SOURCE, on_rtc, NULL);
    EXPECT(uintr_unexpected, 0);
}

TEST(one_released_the_other_works)
{
    ready();
    EXPECT(sys_irq_release(rng_irq), OK);
    raise_rng();
    CHECK(!during(20, 0, 1));
    rtc_raise_at(rtc);
    CHECK(during(LONG_MS, 1, 0));
    EXPECT(sys_irq_attach(rng_irq), OK); /* its line is still high */
    CHECK(during(LONG_MS, 1, 1));
    raise_rng();
    CHECK(during(LONG_MS, 1, 2));
    uintr_disable();
}

TEST_MAIN
