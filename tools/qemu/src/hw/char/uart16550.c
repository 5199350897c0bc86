/*
 * National PC16550D UART whose bytes take their time on the wire
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The device: properties, reset, migration. Registers and interrupts are in
 * uart16550_regs.c, what happens on the wire in uart16550_wire.c.
 * hw/char/serial.c is the UART to use with a character device; this one is
 * for software whose timing and error paths matter.
 */

#include "qemu/osdep.h"
#include "hw/char/uart16550.h"
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/bswap.h"
#include "qemu/error-report.h"

/* Below, the arithmetic of bit times would be too coarse, or overflow. */
#define CLOCK_MIN_HZ 100000
#define SKEW_MAX_PPM 500000
#define PPB 1000000000

static void uart16550_timer(void *opaque)
{
    UART16550State *s = opaque;

    uart16550_catch_up(s);
    uart16550_update_both(s);
}

static void uart16550_seed_errors(UART16550State *s)
{
    s->error_state = (s->error_seed + 1) * 0x9e3779b97f4a7c15ull | 1;
}

/* [Table I] */
static void uart16550_reset_enter(Object *obj, ResetType type)
{
    UART16550State *s = UART16550(obj);

    s->ier = s->fcr = s->lcr = s->mcr = s->lsr = s->scr = 0;
    s->divisor = 0;
    s->thr_ipending = s->tsr_busy = s->tsr_broken = s->rx_timeout = false;
    s->tx_two = s->tx_first = false;
    s->tx_count = s->rx_count = s->rbr = 0;
    s->thre_at = s->break_at = UART16550_NEVER;
    uart16550_seed_errors(s);
    memset(s->counter, 0, sizeof(s->counter));
    timer_del(s->timer);
    uart16550_rate_changed(s);
}

/* Both ends have been reset: no change of a line is left of it. */
static void uart16550_reset_exit(Object *obj)
{
    UART16550State *s = UART16550(obj);

    s->msr = uart16550_modem_lines(s);
    s->irq_level = false;
    qemu_irq_lower(s->irq);
}

/*
 * What tests change while the machine runs. Until now the old value holds,
 * so what has passed is made up for first.
 */
static void uart16550_set_begin(UART16550State *s)
{
    if (DEVICE(s)->realized) {
        uart16550_catch_up(s);
    }
}

static void uart16550_set_end(UART16550State *s)
{
    if (DEVICE(s)->realized) {
        uart16550_rate_changed(s);
        if (s->peer) {
            uart16550_modem_changed(s->peer);
        }
        uart16550_update_both(s);
    }
}

static void uart16550_get_skew(Object *obj, Visitor *v, const char *name,
                               void *opaque, Error **errp)
{
    visit_type_int32(v, name, &UART16550(obj)->skew_ppm, errp);
}

static void uart16550_set_skew(Object *obj, Visitor *v, const char *name,
                               void *opaque, Error **errp)
{
    UART16550State *s = UART16550(obj);
    int32_t value;

    if (!visit_type_int32(v, name, &value, errp)) {
        return;
    }
    if (value < -SKEW_MAX_PPM || value > SKEW_MAX_PPM) {
        error_setg(errp, "%s must be in -%d..%d", name, SKEW_MAX_PPM,
                   SKEW_MAX_PPM);
        return;
    }
    uart16550_set_begin(s);
    s->skew_ppm = value;
    uart16550_set_end(s);
}

static void uart16550_get_bit_error(Object *obj, Visitor *v, const char *name,
                                    void *opaque, Error **errp)
{
    visit_type_uint32(v, name, &UART16550(obj)->bit_error_ppb, errp);
}

static void uart16550_set_bit_error(Object *obj, Visitor *v, const char *name,
                                    void *opaque, Error **errp)
{
    UART16550State *s = UART16550(obj);
    uint32_t value;

    if (!visit_type_uint32(v, name, &value, errp)) {
        return;
    }
    if (value > PPB) {
        error_setg(errp, "%s must be in 0..%d", name, PPB);
        return;
    }
    uart16550_set_begin(s);
    s->bit_error_ppb = value;
    uart16550_set_end(s);
}

static void uart16550_get_seed(Object *obj, Visitor *v, const char *name,
                               void *opaque, Error **errp)
{
    visit_type_uint64(v, name, &UART16550(obj)->error_seed, errp);
}

static void uart16550_set_seed(Object *obj, Visitor *v, const char *name,
                               void *opaque, Error **errp)
{
    UART16550State *s = UART16550(obj);
    uint64_t value;

    if (!visit_type_uint64(v, name, &value, errp)) {
        return;
    }
    uart16550_set_begin(s);
    s->error_seed = value;
    uart16550_seed_errors(s);
    uart16550_set_end(s);
}

static bool uart16550_get_cut_data(Object *obj, Error **errp)
{
    return UART16550(obj)->cut_data;
}

static void uart16550_set_cut_data(Object *obj, bool value, Error **errp)
{
    UART16550State *s = UART16550(obj);

    uart16550_set_begin(s);
    s->cut_data = value;
    uart16550_set_end(s);
}

static bool uart16550_get_cut_modem(Object *obj, Error **errp)
{
    return UART16550(obj)->cut_modem;
}

static void uart16550_set_cut_modem(Object *obj, bool value, Error **errp)
{
    UART16550State *s = UART16550(obj);

    uart16550_set_begin(s);
    s->cut_modem = value;
    uart16550_set_end(s);
}

static const char *const uart16550_counter_names[UART16550_COUNTERS] = {
    [UART16550_SENT] = "bytes-sent",
    [UART16550_RECEIVED] = "bytes-received",
    [UART16550_OVERRUNS] = "overruns",
    [UART16550_PARITY] = "parity-errors",
    [UART16550_FRAMING] = "framing-errors",
    [UART16550_BREAKS] = "breaks",
    [UART16550_LOST] = "lost",
};

static void uart16550_get_counter(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    UART16550State *s = UART16550(obj);
    uint64_t *counter = &s->counter[(uintptr_t)opaque];

    uart16550_set_begin(s);
    visit_type_uint64(v, name, counter, errp);
    if (DEVICE(s)->realized) {
        uart16550_update_both(s);
    }
}

/* @arrivals names the machine's files: that of /machine/uart2 is NAME.uart2. */
static bool uart16550_open_arrivals(UART16550State *s, Error **errp)
{
    g_autofree char *name = NULL;

    if (!s->arrivals) {
        return true;
    }
    name = g_strdup_printf("%s.%s", s->arrivals,
                           object_get_canonical_path_component(OBJECT(s)));
    s->arrivals_file = fopen(name, "wb");
    if (!s->arrivals_file) {
        error_setg_errno(errp, errno, "arrivals: cannot write %s", name);
        return false;
    }
    return true;
}

void uart16550_note_arrival(UART16550State *s, uint8_t byte, int64_t now)
{
    uint64_t record = cpu_to_le64((uint64_t)now << 8 | byte);

    if (fwrite(&record, sizeof(record), 1, s->arrivals_file) != 1) {
        error_report("uart16550: arrivals: %s; no more are written",
                     strerror(errno));
        fclose(s->arrivals_file);
        s->arrivals_file = NULL;
    }
}

static void uart16550_realize(DeviceState *dev, Error **errp)
{
    UART16550State *s = UART16550(dev);

    if (s->clock_frequency < CLOCK_MIN_HZ) {
        error_setg(errp, "clock-frequency must be at least %d Hz",
                   CLOCK_MIN_HZ);
        return;
    }
    if (s->regshift > 2) {
        error_setg(errp, "regshift must be 0, 1 or 2");
        return;
    }
    if (s->link) {
        if (s->link == s || s->link->peer || s->peer) {
            error_setg(errp, "one end of this wire is already wired");
            error_append_hint(errp,
                              "Set \"peer\" on one of the two only.\n");
            return;
        }
        s->peer = s->link;
        s->peer->peer = s;
    }
    if (!uart16550_open_arrivals(s, errp)) {
        return;
    }
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, uart16550_timer, s);
    memory_region_init_io(&s->mmio, OBJECT(s), &uart16550_ops, s,
                          TYPE_UART16550, 8 << s->regshift);
    sysbus_init_mmio(SYS_BUS_DEVICE(s), &s->mmio);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq);
}

static int uart16550_post_load(void *opaque, int version_id)
{
    UART16550State *s = opaque;

    /* What is an index or a divisor is not to be trusted. */
    if (s->tx_head >= UART16550_FIFO_SIZE ||
        s->rx_head >= UART16550_FIFO_SIZE ||
        s->tx_count > uart16550_depth(s) || s->rx_count > uart16550_depth(s) ||
        (s->tsr_busy && s->tsr_bit_fs < 2) ||
        s->skew_ppm < -SKEW_MAX_PPM || s->skew_ppm > SKEW_MAX_PPM) {
        return -EINVAL;
    }
    uart16550_rate_changed(s);
    return 0;
}

/* Times are absolute, on the clock that is migrated too. */
static const VMStateDescription vmstate_uart16550 = {
    .name = TYPE_UART16550,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = uart16550_post_load,
    .fields = (VMStateField[]) {
        VMSTATE_UINT8(ier, UART16550State),
        VMSTATE_UINT8(fcr, UART16550State),
        VMSTATE_UINT8(lcr, UART16550State),
        VMSTATE_UINT8(mcr, UART16550State),
        VMSTATE_UINT8(lsr, UART16550State),
        VMSTATE_UINT8(msr, UART16550State),
        VMSTATE_UINT8(scr, UART16550State),
        VMSTATE_UINT16(divisor, UART16550State),
        VMSTATE_BOOL(thr_ipending, UART16550State),
        VMSTATE_BOOL(irq_level, UART16550State),
        VMSTATE_UINT8_ARRAY(tx_fifo, UART16550State, UART16550_FIFO_SIZE),
        VMSTATE_UINT8(tx_head, UART16550State),
        VMSTATE_UINT8(tx_count, UART16550State),
        VMSTATE_UINT8(tsr, UART16550State),
        VMSTATE_UINT8(tsr_lcr, UART16550State),
        VMSTATE_BOOL(tsr_busy, UART16550State),
        VMSTATE_BOOL(tsr_delivered, UART16550State),
        VMSTATE_BOOL(tsr_broken, UART16550State),
        VMSTATE_BOOL(tx_two, UART16550State),
        VMSTATE_BOOL(tx_first, UART16550State),
        VMSTATE_INT64(tsr_start, UART16550State),
        VMSTATE_UINT32(tsr_start_fs, UART16550State),
        VMSTATE_UINT64(tsr_bit_fs, UART16550State),
        VMSTATE_INT64(thre_at, UART16550State),
        VMSTATE_INT64(break_at, UART16550State),
        VMSTATE_UINT8_ARRAY(rx_fifo, UART16550State, UART16550_FIFO_SIZE),
        VMSTATE_UINT8_ARRAY(rx_error, UART16550State, UART16550_FIFO_SIZE),
        VMSTATE_UINT8(rx_head, UART16550State),
        VMSTATE_UINT8(rx_count, UART16550State),
        VMSTATE_UINT8(rbr, UART16550State),
        VMSTATE_BOOL(rx_timeout, UART16550State),
        VMSTATE_INT64(rx_timeout_at, UART16550State),
        VMSTATE_INT32(skew_ppm, UART16550State),
        VMSTATE_UINT32(bit_error_ppb, UART16550State),
        VMSTATE_UINT64(error_seed, UART16550State),
        VMSTATE_UINT64(error_state, UART16550State),
        VMSTATE_BOOL(cut_data, UART16550State),
        VMSTATE_BOOL(cut_modem, UART16550State),
        VMSTATE_UINT64_ARRAY(counter, UART16550State, UART16550_COUNTERS),
        VMSTATE_TIMER_PTR(timer, UART16550State),
        VMSTATE_END_OF_LIST()
    }
};

static Property uart16550_properties[] = {
    DEFINE_PROP_UINT32("clock-frequency", UART16550State, clock_frequency,
                       100000000),
    DEFINE_PROP_UINT8("regshift", UART16550State, regshift, 0),
    DEFINE_PROP_LINK("peer", UART16550State, link, TYPE_UART16550,
                     UART16550State *),
    DEFINE_PROP_STRING("arrivals", UART16550State, arrivals),
    DEFINE_PROP_END_OF_LIST(),
};

static void uart16550_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "PC16550D UART, timed, wired to another";
    dc->realize = uart16550_realize;
    dc->vmsd = &vmstate_uart16550;
    set_bit(DEVICE_CATEGORY_INPUT, dc->categories);
    rc->phases.enter = uart16550_reset_enter;
    rc->phases.exit = uart16550_reset_exit;
    device_class_set_props(dc, uart16550_properties);

    object_class_property_add(klass, "clock-skew-ppm", "int32",
                              uart16550_get_skew, uart16550_set_skew,
                              NULL, NULL);
    object_class_property_set_description(klass, "clock-skew-ppm",
        "How much too fast the clock runs, in parts per million");
    object_class_property_add(klass, "bit-error-ppb", "uint32",
                              uart16550_get_bit_error,
                              uart16550_set_bit_error, NULL, NULL);
    object_class_property_set_description(klass, "bit-error-ppb",
        "Of a billion bits sent, how many arrive inverted");
    object_class_property_add(klass, "error-seed", "uint64",
                              uart16550_get_seed, uart16550_set_seed,
                              NULL, NULL);
    object_class_property_set_description(klass, "error-seed",
        "Which bits: the same seed, the same bits");
    object_class_property_add_bool(klass, "cut-data", uart16550_get_cut_data,
                                   uart16550_set_cut_data);
    object_class_property_set_description(klass, "cut-data",
        "The wire from SOUT is cut: the peer sees it marking");
    object_class_property_add_bool(klass, "cut-modem",
                                   uart16550_get_cut_modem,
                                   uart16550_set_cut_modem);
    object_class_property_set_description(klass, "cut-modem",
        "The wires from RTS and DTR are cut: the peer sees them inactive");
    for (uintptr_t i = 0; i < UART16550_COUNTERS; i++) {
        object_class_property_add(klass, uart16550_counter_names[i], "uint64",
                                  uart16550_get_counter, NULL, NULL,
                                  (void *)i);
    }
}

static const TypeInfo uart16550_info = {
    .name = TYPE_UART16550,
    .parent = TYPE_SYS_BUS_DEVICE,
    .instance_size = sizeof(UART16550State),
    .class_init = uart16550_class_init,
};

static void uart16550_register_types(void)
{
    type_register_static(&uart16550_info);
}

type_init(uart16550_register_types)
