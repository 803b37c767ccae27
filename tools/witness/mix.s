@ A bit of every kind of instruction that the timing model tells apart. What it takes is kept beside the calibration:
@ when it takes something else, the model is another one and the calibration has to be made again. It returns its cycles
@ itself, so that no compiler has a part in them.
    .syntax unified
    .thumb
    .text
    .balign 4
    .global witness_mix
    .type witness_mix, %function
witness_mix:
    push {r4-r11, lr}
    ldr r8, =0xE0001004
    ldr r9, [r8]
    b 0f
    .balign 4
0:  vpush {s16-s19}
    sub sp, #32
    movs r0, #100
    movs r4, #0
    mov r12, sp
1:  ldr r1, [sp]
    ldr r2, [sp, #4]
    ldrsb r3, [r12, r0]
    str r1, [sp, #8]
    str r2, [r12, r4]
    add r5, r12, #4
    ldr r6, [r5]
    ldm r12, {r1, r2, r3, r4}
    stm r12, {r1, r2}
    ldrd r6, r7, [sp, #8]
    strd r6, r7, [sp, #16]
    mul r1, r2, r3
    smlad r1, r2, r3, r4
    smlal r6, r7, r1, r2
    ssat r1, #8, r6
    movs r4, #3
    udiv r2, r0, r4
    sdiv r3, r0, r4
    bl 3f
    adr r6, 4f + 1
    bx r6
    .balign 4
4:  vldr s0, [sp]
    vmov s1, r0
    vcvt.f32.s32 s1, s1
    vmul.f32 s2, s1, s1
    vfma.f32 s2, s1, s1
    vdiv.f32 s3, s2, s1
    vsqrt.f32 s3, s3
    vstr s3, [sp, #24]
    and r6, r0, #1
    tbb [pc, r6]
    .byte (5f - . ) / 2, (6f - . + 1) / 2
5:  nop
6:  cmp r0, #50
    beq 7f
    nop
    .balign 4
    nop
7:  add.w r6, r6, #1
    movs r4, #0
    subs r0, #1
    bne 1b
    add sp, #32
    vpop {s16-s19}
    ldr r0, [r8]
    b 9f
9:  sub r0, r0, r9
    pop {r4-r11, pc}
    .ltorg
    .balign 4
    nop
3:  add.w r6, r6, r7
    bx lr
    .size witness_mix, . - witness_mix
