/*
 * Every error of every system call on endpoints, notifications, memory,
 * interrupts and the system, by name, and that an error changes nothing. The
 * others are in syscalls.c.
 */
#include "refused.h"

TEST(endpoint_bind_errors)
{
    BAD_HANDLES(endpoint, sys_endpoint_bind(H, doorbell));
    BAD_HANDLES(doorbell, sys_endpoint_bind(endpoint, H));
    BAD_RIGHTS(endpoint, R_RECEIVE, sys_endpoint_bind(H, doorbell));
    BAD_RIGHTS(doorbell, R_RING, sys_endpoint_bind(endpoint, H));
    EXPECT(sys_endpoint_bind(endpoint, doorbell), OK);
    EXPECT(sys_endpoint_bind(endpoint, 0), OK);
    EXPECT(sys_endpoint_bind(endpoint, 0), OK);
}

TEST(ipc_errors)
{
    struct message m = {0};
    BAD_HANDLES(endpoint, (m = (struct message){0}, ipc_call(H, &m)));
    BAD_HANDLES(endpoint, (m = (struct message){0}, ipc_receive(H, &m)));
    BAD_HANDLES(endpoint, (m = (struct message){0}, ipc_poll(H, &m)));
    BAD_RIGHTS(endpoint, R_CALL, (m = (struct message){0}, ipc_call(H, &m)));
    BAD_RIGHTS(endpoint, R_RECEIVE,
               (m = (struct message){0}, ipc_receive(H, &m)));
    BAD_RIGHTS(endpoint, R_RECEIVE, (m = (struct message){0}, ipc_poll(H, &m)));
    REFUSED((m = (struct message){0}, ipc_poll(endpoint, &m)), E_AGAIN);
    for (int i = 0; i < 4; i++) {
        m = (struct message){0};
        m.handle[i] = NO_HANDLE;
        REFUSED(ipc_call(endpoint, &m), E_BADHANDLE);
    }
    handle_t h = weak(memory, R_READ);
    m = (struct message){.handle = {endpoint, 0, h}};
    REFUSED(ipc_call(endpoint, &m), E_RIGHTS);
    MUST(sys_handle_close(h));
}

TEST(ipc_reply_without_caller)
{
    struct message m = {0};
    const uint64_t tokens[] = {0, 1, 77, 1UL << 16, ~0UL, 1UL << 63};
    for (int i = 0; i < 6; i++) {
        m = (struct message){.token = tokens[i]};
        REFUSED(ipc_reply(&m), E_ARG);
        m = (struct message){0};
        handles();
        REFUSED(ipc_trap(SYS_ipc_reply_receive, tokens[i], endpoint, &m),
                E_ARG);
    }
}

TEST(call_without_receiver)
{
    struct message m = {0};
    handle_t e = MUST(sys_endpoint_create());
    handle_t only_call = weak(e, R_CALL);
    MUST(sys_handle_close(e));
    EXPECT(ipc_call(only_call, &m), E_DEAD);
    MUST(sys_handle_close(only_call));
}

TEST(notification_errors)
{
    uint64_t soon = clock_ticks() + 10;
    BAD_HANDLES(notification, sys_notification_wait(H, 1, soon));
    BAD_HANDLES(notification, sys_notification_poll(H, 1));
    BAD_HANDLES(notification, sys_doorbell_create(H, 1));
    REFUSED(sys_notification_poll(0, 1), E_BADHANDLE);
    BAD_RIGHTS(notification, R_WAIT, sys_notification_wait(H, 1, soon));
    BAD_RIGHTS(notification, R_WAIT, sys_notification_poll(H, 1));
    BAD_RIGHTS(notification, R_WAIT, sys_doorbell_create(H, 1));
    REFUSED(sys_notification_wait(notification, 0, soon), E_ARG);
    REFUSED(sys_notification_wait(notification, 1UL << 63, soon), E_ARG);
    REFUSED(sys_notification_wait(notification, 1, 0), E_TIMEDOUT);
    REFUSED(sys_notification_wait(0, 0, 0), E_TIMEDOUT);
    REFUSED(sys_doorbell_create(notification, 0), E_ARG);
    REFUSED(sys_doorbell_create(notification, 1UL << 62), E_ARG);
    REFUSED(sys_doorbell_create(notification, 1UL << 63), E_ARG);
    EXPECT(sys_handle_close(
               MUST(sys_doorbell_create(notification, (1UL << 62) - 1))),
           OK);
    sys_notification_poll(notification, ~0UL);
}

TEST(doorbell_errors)
{
    BAD_HANDLES(doorbell, sys_doorbell_ring(H));
    BAD_RIGHTS(doorbell, R_RING, sys_doorbell_ring(H));
    REFUSED(sys_doorbell_ring(0), E_BADHANDLE);
}

TEST(memory_create_errors)
{
    REFUSED(sys_memory_create(0, 0), E_RANGE);
    REFUSED(sys_memory_create(1, 0), E_ALIGN);
    REFUSED(sys_memory_create(PAGE_SIZE + 1, 0), E_ALIGN);
    REFUSED(sys_memory_create(MEMORY_SIZE_MAX + PAGE_SIZE, 0), E_RANGE);
    REFUSED(sys_memory_create(-PAGE_SIZE, 0), E_RANGE);
    REFUSED(sys_memory_create(1UL << 63, MEMORY_CONTIGUOUS), E_RANGE);
    REFUSED(sys_memory_create(PAGE_SIZE, 2), E_ARG);
    REFUSED(sys_memory_create(PAGE_SIZE, ~0UL), E_ARG);
}

TEST(memory_slice_errors)
{
    const uint64_t p = PAGE_SIZE;
    BAD_HANDLES(memory, sys_memory_slice(H, 0, PAGE_SIZE));
    BAD_RIGHTS(memory, R_DUP, sys_memory_slice(H, 0, p));
    REFUSED(sys_memory_slice(memory, 1, p), E_ALIGN);
    REFUSED(sys_memory_slice(memory, 0, 1), E_ALIGN);
    REFUSED(sys_memory_slice(memory, 0, 0), E_RANGE);
    REFUSED(sys_memory_slice(memory, 2 * p, p), E_RANGE);
    REFUSED(sys_memory_slice(memory, p, 2 * p), E_RANGE);
    REFUSED(sys_memory_slice(memory, -p, 2 * p), E_RANGE);
    REFUSED(sys_memory_slice(memory, p, -p), E_RANGE);
}

TEST(memory_size_and_phys_errors)
{
    BAD_HANDLES(memory, sys_memory_size(H));
    BAD_HANDLES(memory, sys_memory_phys(H, 0));
    BAD_RIGHTS(memory, R_PHYS, sys_memory_phys(H, 0));
    REFUSED(sys_memory_phys(memory, 2 * PAGE_SIZE), E_RANGE);
    REFUSED(sys_memory_phys(memory, ~0UL), E_RANGE);
    EXPECT(sys_memory_size(memory), 2 * PAGE_SIZE);
    EXPECT(sys_memory_phys(memory, 5) & 0xfff, 5);
}

static handle_t some_irq(void)
{
    handle_t irq = startup_handle("irq11");
    if (!irq)
        SKIP("no RTC");
    return irq;
}

TEST(irq_errors)
{
    handle_t irq = some_irq();
    BAD_HANDLES(irq, sys_irq_attach(H));
    BAD_HANDLES(irq, sys_irq_bind(H, doorbell));
    BAD_HANDLES(irq, sys_irq_ack(H));
    BAD_HANDLES(irq, sys_irq_release(H));
    BAD_HANDLES(doorbell, sys_irq_bind(irq, H));
    BAD_RIGHTS(irq, R_ATTACH, sys_irq_attach(H));
    BAD_RIGHTS(irq, R_ATTACH, sys_irq_bind(H, doorbell));
    BAD_RIGHTS(irq, R_ATTACH, sys_irq_ack(H));
    BAD_RIGHTS(irq, R_ATTACH, sys_irq_release(H));
    BAD_RIGHTS(doorbell, R_RING, sys_irq_bind(irq, H));
    REFUSED(sys_irq_attach(irq), E_STATE); /* not registered */
    REFUSED(sys_irq_ack(irq), E_STATE);
    REFUSED(sys_irq_release(irq), E_STATE);
}

TEST(irq_bind_is_exclusive)
{
    handle_t irq = some_irq();
    handles();
    EXPECT(sys_irq_bind(irq, doorbell), OK);
    REFUSED(sys_irq_bind(irq, doorbell), E_BUSY);
    REFUSED(sys_irq_ack(irq), E_STATE); /* it has not rung */
    EXPECT(sys_irq_release(irq), OK);
    REFUSED(sys_irq_release(irq), E_STATE);
}

TEST(uintr_without_registering)
{
    REFUSED(sys_uintr_wait(0), E_STATE);
    REFUSED(sys_uintr_take(), E_STATE);
    REFUSED(sys_uintr_timer(0), E_STATE);
    handles();
    REFUSED(sys_uintr_bind(notification), E_STATE);
    REFUSED(sys_uintr_bind(0), E_STATE);
}

TEST(system_info_errors)
{
    static struct memory_info info;
    const uint64_t out = (uint64_t)&info, size = sizeof(info);
    BAD_HANDLES(test_system, sys_system_info(H, INFO_MEMORY, 0, (uint64_t)&info,
                                             sizeof(info)));
    BAD_RIGHTS(test_system, R_INSPECT,
               sys_system_info(H, INFO_MEMORY, 0, out, size));
    REFUSED(sys_system_info(test_system, 77, 0, out, size), E_ARG);
    REFUSED(sys_system_info(test_system, ~0UL, 0, out, size), E_ARG);
    REFUSED(sys_system_info(test_system, INFO_MEMORY, 0, out, size - 1), E_ARG);
    REFUSED(sys_system_info(test_system, INFO_MEMORY, 1, out, size), E_NOENT);
    REFUSED(sys_system_info(test_system, INFO_MEMORY, ~0UL, out, size),
            E_NOENT);
    REFUSED(sys_system_info(test_system, INFO_HART, 8, out,
                            sizeof(struct hart_info)),
            E_NOENT);
    REFUSED(sys_system_info(test_system, INFO_HART, 1UL << 60, out,
                            sizeof(struct hart_info)),
            E_NOENT);
    REFUSED(sys_system_info(test_system, INFO_MEMORY, 0, 0, size), E_FAULT);
    REFUSED(sys_system_info(test_system, INFO_MEMORY, 0, KERNEL_ADDRESS, size),
            E_FAULT);
}

TEST(system_log_errors)
{
    static char text[600];
    const uint64_t t = (uint64_t)text;
    BAD_HANDLES(test_system, sys_system_log_read(H, 0, (uint64_t)text, 100));
    BAD_HANDLES(test_system, sys_system_log_write(H, (uint64_t)text, 1));
    BAD_RIGHTS(test_system, R_READ, sys_system_log_read(H, 0, t, 100));
    BAD_RIGHTS(test_system, R_WRITE, sys_system_log_write(H, t, 1));
    REFUSED(sys_system_log_read(test_system, 0, t, 8), E_ARG);
    REFUSED(sys_system_log_read(test_system, 0, 0, 100), E_FAULT);
    REFUSED(sys_system_log_read(test_system, 0, USER_TEXT, 100), E_FAULT);
    REFUSED(sys_system_log_write(test_system, t, 257), E_RANGE);
    REFUSED(sys_system_log_write(test_system, t, ~0UL), E_RANGE);
    REFUSED(sys_system_log_write(test_system, 0, 10), E_FAULT);
    REFUSED(sys_system_log_write(test_system, KERNEL_ADDRESS, 10), E_FAULT);
    EXPECT(sys_system_log_read(test_system, ~0UL, t, 100), 0);
}

TEST(system_kill_errors)
{
    BAD_HANDLES(test_system, sys_system_kill(H, 12345, 1));
    BAD_RIGHTS(test_system, R_KILL, sys_system_kill(H, 12345, 1));
    REFUSED(sys_system_kill(test_system, 0, 1), E_NOENT);
    REFUSED(sys_system_kill(test_system, 99999, 1), E_NOENT);
    /* a number beyond 32 bits is nobody's, not the one it is cut to */
    struct child c;
    child_make(&c);
    script(&c, 0, SCRIPT_SPIN, 0, 0, 0, 0, 0, 0);
    child_run(&c, child_script, 1);
    uint64_t pid = MUST(sys_process_id(c.process));
    EXPECT(sys_system_kill(test_system, 1UL << 32 | pid, 1), E_NOENT);
    child_kill(&c);
}

TEST(system_reset_errors)
{
    BAD_HANDLES(test_system, sys_system_reset(H, 0));
    BAD_RIGHTS(test_system, R_RESET, sys_system_reset(H, 0));
    REFUSED(sys_system_reset(test_system, 99), E_ARG);
    REFUSED(sys_system_reset(test_system, ~0UL), E_ARG);
}

/* Handles to devices: never to what is the kernel's own. */
TEST(system_device_errors)
{
    struct memory_info info = test_memory();
    const uint64_t rtc = 0x101000, ram = 0x80000000, plic = 0xc000000;
    const uint64_t page = PAGE_SIZE, end = 1UL << 56;
    if (!(MUST(sys_handle_type(test_system)) & R_DEVICE))
        SKIP("not started by run=");
    BAD_HANDLES(test_system, sys_system_device(H, 0x101000, PAGE_SIZE));
    BAD_RIGHTS(test_system, R_DEVICE, sys_system_device(H, rtc, page));
    REFUSED(sys_system_device(test_system, rtc + 1, page), E_ALIGN);
    REFUSED(sys_system_device(test_system, rtc, page + 8), E_ALIGN);
    REFUSED(sys_system_device(test_system, rtc, 0), E_RANGE);
    REFUSED(sys_system_device(test_system, end, page), E_RANGE);
    REFUSED(sys_system_device(test_system, end - page, 2 * page), E_RANGE);
    REFUSED(sys_system_device(test_system, rtc, -rtc), E_RANGE);
    /* the firmware, the kernel, the last page; all of it; around it */
    REFUSED(sys_system_device(test_system, ram, page), E_OVERLAP);
    REFUSED(sys_system_device(test_system, ram + 0x200000, page), E_OVERLAP);
    REFUSED(sys_system_device(test_system, ram + info.total - page, page),
            E_OVERLAP);
    REFUSED(sys_system_device(test_system, 0, end), E_OVERLAP);
    REFUSED(sys_system_device(test_system, ram - page, 2 * page), E_OVERLAP);
    REFUSED(sys_system_device(test_system, plic, page), E_OVERLAP);
    REFUSED(sys_system_device(test_system, plic + 0x201000, page), E_OVERLAP);
    REFUSED(sys_system_device(test_system, plic - page, 2 * page), E_OVERLAP);
    handle_t h = MUST(sys_system_device(test_system, rtc, page));
    EXPECT(sys_memory_phys(h, 8), rtc + 8);
    EXPECT(sys_handle_type(h),
           (int64_t)OBJECT_MEMORY << 32 | R_READ | R_WRITE | R_PHYS | R_DUP);
    EXPECT(sys_handle_close(h), OK);
}

TEST(system_irq_errors)
{
    if (!(MUST(sys_handle_type(test_system)) & R_DEVICE))
        SKIP("not started by run=");
    BAD_HANDLES(test_system, sys_system_irq(H, 11));
    BAD_RIGHTS(test_system, R_DEVICE, sys_system_irq(H, 11));
    REFUSED(sys_system_irq(test_system, 0), E_RANGE);
    REFUSED(sys_system_irq(test_system, 512), E_RANGE);
    REFUSED(sys_system_irq(test_system, 1UL << 32 | 11), E_RANGE);
    /* two handles of one source: one object, one owner */
    handles();
    handle_t one = MUST(sys_system_irq(test_system, 11));
    handle_t two = MUST(sys_system_irq(test_system, 11));
    EXPECT(sys_irq_bind(one, doorbell), OK);
    int64_t again = sys_irq_bind(two, doorbell);
    EXPECT(sys_irq_release(two), OK);
    EXPECT(again, E_BUSY);
    EXPECT(sys_handle_close(one), OK);
    EXPECT(sys_handle_close(two), OK);
}

/*
 * A device's registers are mapped like memory, but they are not memory: the
 * kernel must not use them as a place for results.
 */
TEST(device_page_as_buffer)
{
    handle_t mmio = startup_handle("mmio11");
    if (!mmio)
        SKIP("no RTC");
    handles();
    char *page = map_memory(mmio, PAGE_SIZE, PROT_R | PROT_W);
    CHECK(page);
    int64_t status = sys_process_status(process, (uint64_t)page);
    int64_t log = sys_system_log_write(test_system, (uint64_t)page, 8);
    unmap_memory(page, PAGE_SIZE);
    EXPECT(status, E_FAULT);
    EXPECT(log, E_FAULT);
}

TEST_MAIN
