/*
 * A driver is moved to another hart between any two instructions from claim to
 * completion: once (A to B), or there and back at any two of these places (A to
 * B to A). Is the device still heard afterwards? By the virtual page and the
 * restartable sequence always, by the retry loop not always, and by a driver
 * that takes no care it is lost at once, which shows that this program can tell.
 *
 * Needs a PLIC that ignores a completion where the source is not enabled: the
 * native machine's. QEMU's own forgives everything.
 */
#include <uinta/thread.h>
#include <uinta/uintr.h>
#include "../guest.h"
#include "../rtc.h"
#include "abi/startup.h"

enum { A, B, OBSERVER, HARTS };
enum { PLACES_MAX = 64 };
/* ms in which a device that works is heard, if the host runs us meanwhile;
 * longer where silence would be an error */
enum { LISTEN = 300, LISTEN_WELL = 5000 };

/* step.inc */
volatile uint64_t migrate_wanted, migrate_reached;
extern const int page_steps, contexts_steps, naive_steps;
extern const char naive_vectors[];

static int64_t init_page(handle_t system)
{
    (void)system;
    return uintr_init();
}

static int64_t init_naive(handle_t system)
{
    int64_t delivery = uintr_init_retry(system);

    uintr_csr_write(CSR_UTVEC, (uint64_t)naive_vectors | 1);
    return delivery;
}

static const struct remedy {
    int64_t (*init)(handle_t system);
    const int *steps;
    const char *name;
    int listen;
} page = {init_page, &page_steps, "page", LISTEN_WELL},
  retry = {uintr_init_retry, &contexts_steps, "retry loop", LISTEN},
  rseq = {uintr_init_rseq, &contexts_steps, "restartable sequence",
          LISTEN_WELL},
  naive = {init_naive, &naive_steps, "no care", LISTEN};

static struct {
    struct thread thread;
    const struct remedy *remedy;
    volatile int64_t delivery; /* or why it did not begin */
    volatile uint64_t ready, stop, turns, count;
} driver;

static bool driver_runs;

static void handler(void *arg)
{
    (void)arg;
    rtc_clear_at(rtc);
    driver.count++;
}

static int64_t drive(void *arg)
{
    (void)arg;
    /* the driver before has been joined and may still be on its way out */
    do
        driver.delivery = driver.remedy->init(test_system);
    while (driver.delivery == E_BUSY);
    uintr_on_source(RTC_SOURCE, handler, NULL);
    int64_t attached = sys_irq_attach(rtc_irq);
    if (driver.delivery >= 0 && attached < 0)
        driver.delivery = attached;
    uintr_enable();
    driver.ready = 1;
    while (!driver.stop)
        driver.turns++;
    sys_irq_release(rtc_irq);
    return 0;
}

static void driver_end(void)
{
    migrate_wanted = 0;
    driver.stop = 1;
    if (driver_runs)
        thread_join(&driver.thread);
    driver_runs = false;
}

static void driver_start(const struct remedy *remedy)
{
    NEED_UINTR();
    NEED_HARTS(HARTS);
    rtc_need();
    driver_end(); /* of a case that failed */
    driver.remedy = remedy;
    driver.ready = driver.stop = 0;
    MUST(sys_thread_set(0, -1, 1u << OBSERVER));
    MUST(thread_start(&driver.thread, drive, NULL, PRIORITY_NORMAL));
    driver_runs = true;
    CHECK(EVENTUALLY(driver.ready, 2000));
    MUST(driver.delivery);
}

static uint64_t hart_of_driver(void)
{
    return ((volatile struct uintr_stats *)USER_UINTR_STATS)->hart;
}

/* EVENTUALLY with short sleeps: there are thousands of these waits. */
#define COMES(condition, ms)                           \
    ({                                                 \
        uint64_t until_ = clock_deadline((ms)*MS);     \
        while (!(condition) && clock_ticks() < until_) \
            clock_sleep_ns(20000);                     \
        (condition);                                   \
    })

static void move_to(uint64_t hart)
{
    MUST(sys_thread_set(driver.thread.handle, -1, 1u << hart));
    CHECK(COMES(hart_of_driver() == hart, 2000));
    uint64_t turns = driver.turns, wanted = migrate_wanted;
    if (!wanted)
        CHECK(COMES(driver.turns != turns, 2000));
}

/*
 * Out of the handler and back in its loop, which `turns` says: two of them, for
 * the first may have been under way.
 */
static bool handled(uint64_t count, uint64_t ms)
{
    if (!COMES(driver.count >= count, ms))
        return false;
    uint64_t turns = driver.turns;
    CHECK(COMES(driver.turns > turns + 1, 2000));
    return true;
}

/* It stops at place k on its way, or comes back without having been there. */
static bool stops_at(uint64_t k, uint64_t count)
{
    CHECK(COMES(migrate_reached == k || driver.count >= count, 2000));
    uint64_t turns = driver.turns;
    CHECK(COMES(migrate_reached == k || driver.turns > turns + 1, 2000));
    return migrate_reached == k;
}

/* The device raises again. If nobody hears it: complete it where it counts. */
static bool alive(void)
{
    uint64_t count = driver.count + 1;
    rtc_raise_at(rtc);
    if (handled(count, driver.remedy->listen))
        return true;
    if (driver.remedy == &page)
        FAIL("the device is lost with a virtual page");
    volatile uint32_t *claim =
        (volatile uint32_t *)(USER_UINTR_CONTEXTS +
                              hart_of_driver() * PAGE_SIZE + PLIC_CLAIM);
    *claim = RTC_SOURCE;
    if (!handled(count, 2000))
        FAIL("silent, and not for want of a completion");
    return false;
}

/* Moved to B at place k1, and back to A at place k2 (0: not). Still alive? */
static bool survives(uint64_t k1, uint64_t k2)
{
    uint64_t count = driver.count + 1;

    move_to(A);
    migrate_reached = 0;
    migrate_wanted = k1;
    rtc_raise_at(rtc);
    CHECK(stops_at(k1, count));
    move_to(B);
    migrate_reached = 0;
    migrate_wanted = k2;
    if (k2 && stops_at(k2, count))
        move_to(A);
    migrate_wanted = 0;
    if (!handled(count, 2000))
        FAIL("moved at %lu, %lu: the handler did not end", k1, k2);
    return alive();
}

/* The places that this driver comes by when it has an interrupt; their number. */
static int find_places(uint64_t *places)
{
    int n = 0;

    move_to(A); /* where it stays: moved by itself, the careless one is lost */
    for (int k = 1; k <= *driver.remedy->steps; k++) {
        uint64_t count = driver.count + 1;
        migrate_reached = 0;
        migrate_wanted = k;
        rtc_raise_at(rtc);
        if (stops_at(k, count))
            places[n++] = k;
        migrate_wanted = 0;
        CHECK(handled(count, 2000));
    }
    CHECK(n > 5);
    return n;
}

/* How often the device was lost; the places of the first loss. */
static int losses(bool back, uint64_t *k1, uint64_t *k2)
{
    uint64_t places[PLACES_MAX] = {0};
    int lost = 0, moves = 0, n;

    ALLOW_SECONDS(200);
    CHECK(*driver.remedy->steps <= PLACES_MAX);
    n = find_places(places);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < (back ? n : 1); j++) {
            if (back && i == j)
                continue; /* there it stands, and goes on */
            moves++;
            if (survives(places[i], back ? places[j] : 0))
                continue;
            if (lost++ == 0) {
                *k1 = places[i];
                *k2 = back ? places[j] : 0;
            }
        }
    }
    printf("# %s, %s: lost %d times in %d\n", driver.remedy->name,
           back ? "A to B to A" : "A to B", lost, moves);
    return lost;
}

static void never_lost(const struct remedy *remedy, bool back)
{
    uint64_t k1 = 0, k2 = 0;

    driver_start(remedy);
    int lost = losses(back, &k1, &k2);
    driver_end();
    if (lost)
        FAIL("lost %d times, first when moved at places %lu and %lu", lost, k1,
             k2);
}

static void is_lost(const struct remedy *remedy, bool back)
{
    uint64_t k1, k2;

    /* The machine with the strict PLIC is the one with four more UARTs. */
    if (!startup_handle("irq12"))
        SKIP("this machine's PLIC forgives a completion in the wrong context");
    driver_start(remedy);
    int lost = losses(back, &k1, &k2);
    driver_end();
    CHECK(lost > 0);
}

TEST(page_moved_once)
{
    never_lost(&page, false);
}

TEST(page_moved_and_back)
{
    never_lost(&page, true);
}

TEST(rseq_moved_once)
{
    never_lost(&rseq, false);
}

TEST(rseq_moved_and_back)
{
    never_lost(&rseq, true);
}

TEST(retry_moved_once)
{
    never_lost(&retry, false);
}

TEST(retry_is_fooled_by_there_and_back)
{
    is_lost(&retry, true);
}

TEST(naive_is_lost_when_moved)
{
    is_lost(&naive, false);
}

TEST_MAIN
