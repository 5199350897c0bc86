/*
 * The first process, linked flat by user/init.ld: the kernel has no ELF
 * loader and no file system (struct init_image in boot.c is its header).
 */
    .section .init_image, "a"
    .balign 4096
    .globl init_image
init_image:
    .incbin "build/user/init.bin"
    .balign 4096
    .globl init_image_end
init_image_end:
