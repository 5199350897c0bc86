/*
 * What a client of the console server needs beside a stream to it: modes, and
 * what the answer to connect means. The calls are in gen/console_client.h.
 */
#ifndef UINTA_CONSOLE_H
#define UINTA_CONSOLE_H

/*
 * Cooked: lines, edited and echoed by the console, ^C interrupts. Raw: bytes
 * as they are typed, no echo. Output gets its CR before NL in both. The bits
 * are those of user/servers/console/ldisc.h.
 */
enum console_mode { CONSOLE_COOKED = 31, CONSOLE_RAW = 16 };

#endif
