/*
 * date [-w SECONDS]: the time of day, from the RTC server, in UTC; with -w
 * after waiting for an alarm of that clock.
 */
#include <time.h>
#include <uinta/process.h>
#include "gen/rtc_client.h"
#include "tool.h"

static const char text[] = "date [-w SECONDS]";

/* If the server dies its doorbell rings too, but then it is not yet time. */
static int64_t wait_for_alarm(handle_t rtc, double seconds)
{
    uint64_t now, then;
    int64_t n = sys_notification_create();
    int64_t bell = n < 0 ? n : sys_doorbell_create(n, 1);
    int64_t result = bell < 0 ? bell : rtc_time(rtc, &now);

    if (result < 0)
        return result;
    then = now + (uint64_t)(seconds * 1e9);
    result = rtc_alarm(rtc, then, bell);
    sys_handle_close(bell);
    if (result >= 0)
        result = sys_notification_wait(n, 1, DEADLINE_NEVER);
    if (result >= 0)
        result = rtc_time(rtc, &now);
    return result >= 0 && now < then ? E_DEAD : result;
}

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, text);
    char *end = "";
    double seconds = argc == 3 ? strtod(argv[2], &end) : 0;
    if ((argc != 1 && (argc != 3 || strcmp(argv[1], "-w"))) || *end ||
        !(seconds >= 0 && seconds < 1e9))
        return usage(text);
    uint64_t ns = 0;
    int64_t rtc = service_lookup("rtc", 0);
    int64_t result = rtc;
    if (result >= 0 && argc == 3)
        result = wait_for_alarm(rtc, seconds);
    if (result >= 0)
        result = rtc_time(rtc, &ns);
    if (result < 0) {
        fprintf(stderr, "date: rtc: %s\n", error_text(result));
        return 1;
    }
    time_t now = (time_t)(ns / 1000000000);
    char line[64];
    strftime(line, sizeof(line), "%Y-%m-%d %H:%M:%S UTC", gmtime(&now));
    puts(line);
    return 0;
}
