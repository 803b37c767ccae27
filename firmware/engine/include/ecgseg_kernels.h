/* Quantised kernels: what the generated code calls. Every kernel equals TensorFlow Lite Micro's reference kernel on
 * every byte. A kernel is inlined with a constant structure that the code generator fills in, so that nothing is
 * computed at run time that is known on the host; the one that is called, the core of the convolutions, is in
 * ecgseg_conv_core.c.
 *
 * Each kernel is portable C. Where it pays it also has a form for the DSP instructions of the Cortex-M4, chosen by
 * __ARM_FEATURE_DSP; both forms are tested against the same vectors.
 *
 * Every header of the engine lies in include/: generated code, which may be compiled in somebody else's tree, inlines
 * these kernels and so needs all that they include. An application includes ecgseg_engine.h alone.
 */
#ifndef ECGSEG_KERNELS_H
#define ECGSEG_KERNELS_H

#include "ecgseg_conv.h"
#include "ecgseg_depthwise_conv.h"
#include "ecgseg_elementwise.h"
#include "ecgseg_move.h"
#include "ecgseg_phases.h"
#include "ecgseg_reduce.h"
#include "ecgseg_stream.h"
#include "ecgseg_threes.h"
#include "ecgseg_transpose_conv.h"

#endif
