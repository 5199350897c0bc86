/*
 * External interrupts on a machine whose S-mode gets none (K210): the firmware
 * hands them over with SSIP. docs/design/relay.md has the story.
 */
#pragma once

struct hart;
/* On the hart itself, once: ask the firmware for its relay, if it has one. */
void relay_hart_enable(struct hart *h);
/* SSIP was raised and is cleared: by another hart, or for a device? */
void relay_interrupt(void);
