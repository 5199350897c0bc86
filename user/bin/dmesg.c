/* dmesg: the kernel's log, which never goes to the console by itself. */
#include <string.h>
#include "tool.h"

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, "dmesg");
    if (argc != 1)
        return usage("dmesg");
    handle_t system = need_handle("system");
    /* The kernel puts the offset of what follows in the first 8 bytes. */
    static struct {
        uint64_t next;
        char text[1016];
    } part;
    uint64_t offset = 0;
    int64_t count;
    while ((count = sys_system_log_read(system, offset, (uint64_t)&part,
                                        sizeof(part))) > 0) {
        fwrite(part.text, 1, count, stdout);
        offset = part.next;
    }
    if (count < 0)
        fprintf(stderr, "dmesg: %s\n", error_text(count));
    return count < 0;
}
