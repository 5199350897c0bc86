/*
 * Names: packing them into registers, and asking init for services. Answers
 * are kept, so that the second question costs nothing.
 */
#include <string.h>
#include <uinta/process.h>
#include <uinta/thread.h>
#include "abi/errors.h"
#include "gen/name_client.h"

enum { SERVICES_MAX = 8 };

static struct {
    uint64_t name[2];
    handle_t endpoint;
} services[SERVICES_MAX];
static unsigned service_count;
static struct mutex lock;

static int pack(uint64_t *packed, size_t size, const char *text)
{
    size_t length = strnlen(text, size + 1);
    if (length == 0 || length > size)
        return E_RANGE;
    memset(packed, 0, size);
    memcpy(packed, text, length);
    return OK;
}

int name_pack(uint64_t packed[2], const char *name)
{
    return pack(packed, NAME_SIZE, name);
}

void name_unpack(char text[NAME_SIZE + 1], const uint64_t packed[2])
{
    memcpy(text, packed, NAME_SIZE);
    text[NAME_SIZE] = 0;
}

int path_pack(uint64_t packed[6], const char *path)
{
    return pack(packed, PATH_SIZE, path);
}

void path_unpack(char text[PATH_SIZE + 1], const uint64_t packed[6])
{
    memcpy(text, packed, PATH_SIZE);
    text[PATH_SIZE] = 0;
}

static handle_t known(const uint64_t name[2])
{
    for (unsigned i = 0; i < service_count; i++)
        if (services[i].name[0] == name[0] && services[i].name[1] == name[1])
            return services[i].endpoint;
    return 0;
}

/* False if the table is full: then the next question is asked again. */
static int remember(const uint64_t name[2], handle_t endpoint)
{
    for (unsigned i = 0; i < service_count; i++)
        if (services[i].name[0] == name[0] && services[i].name[1] == name[1]) {
            services[i].endpoint = endpoint;
            return 1;
        }
    if (service_count == SERVICES_MAX)
        return 0;
    services[service_count].name[0] = name[0];
    services[service_count].name[1] = name[1];
    services[service_count++].endpoint = endpoint;
    return 1;
}

int64_t service_lookup(const char *name, int wait)
{
    uint64_t packed[2];
    int error = name_pack(packed, name);
    if (error)
        return error;
    mutex_lock(&lock);
    handle_t endpoint = known(packed);
    mutex_unlock(&lock);
    if (endpoint)
        return endpoint;
    handle_t init = startup_handle("name");
    if (!init)
        return E_NOENT;
    int64_t result = name_lookup(init, packed, (uint64_t)wait, &endpoint);
    if (result < 0)
        return result;
    if (!endpoint)
        return E_PROTOCOL;
    mutex_lock(&lock);
    handle_t other = known(packed);
    if (!other)
        remember(packed, endpoint);
    mutex_unlock(&lock);
    if (!other)
        return endpoint;
    sys_handle_close(endpoint); /* another thread was quicker */
    return other;
}

int64_t service_publish(const char *name, handle_t endpoint)
{
    uint64_t packed[2];
    int error = name_pack(packed, name);
    handle_t init = startup_handle("name");
    if (error || !init)
        return error ? error : E_NOENT;
    return name_publish(init, packed, endpoint);
}

void service_set(const char *name, handle_t endpoint)
{
    uint64_t packed[2];
    if (name_pack(packed, name))
        return;
    mutex_lock(&lock);
    remember(packed, endpoint);
    mutex_unlock(&lock);
}
