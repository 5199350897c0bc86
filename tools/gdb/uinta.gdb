# Read by `make gdb`, in the repository's directory, with the kernel loaded.
set confirm off
set pagination off
set print pretty on
# Other harts and the firmware change memory while gdb looks.
set stack-cache off
set code-cache off
add-symbol-file build/sbi/fw.elf
source tools/gdb/uinta.py
echo \nuinta-threads, uinta-handles PID, uinta-uintr [HART], uinta-program NAME,\n
echo uinta-break NAME LOCATION; `help uinta-break`; docs/debugging.md\n
