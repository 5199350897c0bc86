"""Drives Uinta in QEMU for the tests; docs/testing.md says how to use it."""
