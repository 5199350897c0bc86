/* The machine as init finds it, and how it is switched off. */
#include "boot.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/cpio.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include "abi/errors.h"
#include "gen/syscalls.h"
#include "devices.h"
#include "power.h"

/* Kinds of sys_system_reset (docs/abi.md). */
enum { RESET_OFF, RESET_REBOOT, RESET_FAILED };

/* Values of the register of QEMU's "sifive,test1" device. */
enum { TEST_PASS = 0x5555, TEST_FAIL = 0x3333 };

static const struct bootinfo *info;
static const void *archive;

static void log_line(const char *format, va_list arguments)
{
    char line[200] = "init: ";
    int n = vsnprintf(line + 6, sizeof(line) - 6, format, arguments) + 6;
    sys_system_log_write(info->system, (uint64_t)line,
                         n < (int)sizeof(line) ? n : (int)sizeof(line) - 1);
}

void boot_log(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(format, arguments);
    va_end(arguments);
}

_Noreturn void boot_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(format, arguments);
    va_end(arguments);
    sys_system_reset(info->system, RESET_FAILED);
    for (;;)
        sys_notification_wait(0, 0, DEADLINE_NEVER);
}

bool boot_find(const char *path, uint64_t *offset, uint64_t *size)
{
    struct cpio_entry entry;
    if (cpio_find(archive, info->archive_size, path, &entry) != CPIO_OK ||
        (entry.mode & CPIO_TYPE_MASK) != CPIO_FILE)
        return false;
    *offset = entry.offset;
    *size = entry.size;
    return true;
}

/* A broken archive is refused as a whole, before anything is started. */
static void check_archive(void)
{
    if (!info->archive || info->archive_size == 0)
        boot_fail("no boot archive: QEMU needs -initrd build/boot.cpio");
    archive = map_memory(info->archive, info->archive_size, PROT_R);
    if (!archive)
        boot_fail("the boot archive (%lu bytes) cannot be mapped",
                  info->archive_size);
    struct cpio_entry entry;
    size_t position = 0;
    enum cpio_error error;
    do
        error = cpio_next(archive, info->archive_size, &position, &entry);
    while (error == CPIO_OK);
    if (error != CPIO_END)
        boot_fail("the boot archive is damaged near byte %lu: %s",
                  (uint64_t)position, cpio_error_text(error));
}

/*
 * What the person who typed the boot arguments must see: logged, and on the
 * console with the greeting (a second one is in the log only).
 */
static char notice_text[200] = "BOOT_NOTICE=";
char *const boot_notice[] = {notice_text, NULL};

static void notice(const char *format, ...)
{
    size_t used = strlen("BOOT_NOTICE=");
    va_list arguments;
    va_start(arguments, format);
    if (!notice_text[used])
        vsnprintf(notice_text + used, sizeof(notice_text) - used, format,
                  arguments);
    va_end(arguments);
    va_start(arguments, format);
    log_line(format, arguments);
    va_end(arguments);
}

static const char *const delivery_names[] = {
    [DELIVERY_NONE] = "notify",
    [DELIVERY_EMULATED] = "emulated",
    [DELIVERY_NATIVE] = "native",
};

static bool set_delivery(struct boot_options *options, const char *value)
{
    static const char *const why[] = {
        [DELIVERY_NONE] = "nobody gives the harts user interrupts, so the "
                          "kernel takes them (notify)",
        [DELIVERY_EMULATED] = "the harts lack the N extension, so the "
                              "firmware emulates it",
        [DELIVERY_NATIVE] = "the harts have the N extension, so delivery is "
                            "native",
    };
    const char *here = delivery_names[info->delivery];
    options->notify = info->delivery == DELIVERY_NONE;
    if (!strcmp(value, "notify"))
        options->notify = true;
    else if (strcmp(value, "emulated") && strcmp(value, "native") &&
             strcmp(value, "auto"))
        return false;
    else if (strcmp(value, "auto") && strcmp(value, here))
        notice("delivery=%s is not to be had here: %s", value,
               why[info->delivery]);
    return true;
}

/* Words after run= are the program's arguments. */
static void read_words(struct boot_options *options, char *words)
{
    char *rest = words, *word;
    while ((word = strtok_r(rest, " ", &rest))) {
        if (!strncmp(word, "run=", 4)) {
            int n = 0;
            for (word += 4; word && n < RUN_ARGS_MAX;
                 word = strtok_r(rest, " ", &rest))
                options->run[n++] = word;
            if (word)
                notice("run= takes %d words: '%s' and what is behind it are "
                       "left out",
                       RUN_ARGS_MAX, word);
            return;
        }
        if (strncmp(word, "delivery=", 9) || !set_delivery(options, word + 9))
            notice("boot argument '%s' is not known; there are: "
                   "delivery=auto|emulated|native|notify "
                   "run=PROGRAM [ARG...]",
                   word);
    }
}

static void read_tree(void)
{
    int64_t size = sys_memory_size(info->tree);
    const char *pages = size > 0 ? map_memory(info->tree, size, PROT_R) : NULL;
    if (!pages)
        boot_fail("the device tree cannot be mapped");
    devices_read(pages + info->tree_offset, info->system);
}

void boot_init(struct boot_options *options)
{
    info = startup_bootinfo();
    memset(options, 0, sizeof(*options));
    options->notify = info->delivery == DELIVERY_NONE;
    read_tree();
    char *words = strdup(device_bootargs()); /* the options point into it */
    if (!words)
        boot_fail("no memory for the boot arguments");
    read_words(options, words);
    boot_log("user interrupts: %s", info->delivery == DELIVERY_NONE
                                        ? "not available"
                                        : delivery_names[info->delivery]);
    check_archive();
    options->console = device_console();
    if (!options->console)
        boot_fail("no serial port (ns16550a) in the device tree");
}

/* QEMU ends with this status: the device that virt has for tests. */
static void end_qemu(uint64_t code)
{
    const struct device_node *d = device_find("sifive,test1", 0);
    if (!d)
        d = device_find("sifive,test0", 0);
    char *page = d ? map_memory(d->mmio, PAGE_SIZE, PROT_R | PROT_W) : NULL;
    if (page)
        *(volatile uint32_t *)(page + d->base % PAGE_SIZE) =
            code ? (uint32_t)code << 16 | TEST_FAIL : TEST_PASS;
}

int64_t boot_power(uint64_t kind, uint64_t code)
{
    if (kind > POWER_STATUS || code > 0xffff)
        return E_ARG;
    if (kind == POWER_STATUS)
        end_qemu(code);
    return sys_system_reset(info->system,
                            kind == POWER_REBOOT ? RESET_REBOOT : RESET_OFF);
}
