/* Contract between generated model code, backends and whatever runs a model.
 *
 * A rendered model (ahead-of-time C, or TensorFlow Lite Micro behind a shim) is one constant ecgseg_model_t, which its
 * header declares under the prefix that was chosen when it was rendered: `ecgseg_model` in ecgseg_model.h by default.
 * Models with different prefixes go into one image. Everything is static: no heap; a model is not reentrant, two models
 * are independent of each other.
 */
#ifndef ECGSEG_ENGINE_H
#define ECGSEG_ENGINE_H

#include <stddef.h>
#include <stdint.h>

/* Bumped whenever this header or a kernel's calling convention changes; generated code checks it. */
#define ECGSEG_ENGINE_VERSION 4

typedef enum {
    ECGSEG_ENGINE_OK = 0,
    ECGSEG_ENGINE_BAD_ARGUMENT = 1,  /* null pointer, layer index or bytes out of range */
    ECGSEG_ENGINE_BACKEND_FAILED = 2 /* only interpreting backends: initialisation or an operator failed */
} ecgseg_engine_status_t;

typedef struct {
    const char *name;        /* operator name, e.g. "CONV_2D" */
    uint16_t operator_index; /* index in the .tflite's operator list (of the last operator when fused) */
    uint16_t tensor_index;   /* .tflite tensor that holds the result */
    uint32_t bytes;          /* size of that result */
    uint32_t macs;
} ecgseg_layer_info_t;

/* How the class mask of a segmenter becomes segments, in time steps. No kernel reads it; it travels with the model. */
typedef struct {
    uint8_t max_gap;           /* two runs of one class with at most so many steps of NONE between them become one */
    const uint8_t *min_length; /* [class_count]: shorter runs of the class are dropped; entry 0, NONE, is not used */
} ecgseg_segment_rules_t;

typedef struct {
    uint32_t engine_version;
    const char *model_name;
    const char *backend; /* "aot" or "tflm" */
    uint8_t model_sha256[32];
    uint32_t input_bytes; /* int8 elements */
    uint32_t output_bytes;
    uint16_t frame_length; /* time steps of input and output when the model is a segmenter, else 0 */
    uint16_t class_count;  /* classes per time step when the model is a segmenter, else 0 */
    float input_scale;
    int32_t input_zero_point;
    float output_scale;
    int32_t output_zero_point;
    ecgseg_segment_rules_t segment_rules; /* when the model is a segmenter, else empty */
    uint32_t arena_bytes;
    uint32_t macs;
    uint16_t layer_count;
    const ecgseg_layer_info_t *layers;
} ecgseg_model_info_t;

typedef struct {
    const ecgseg_model_info_t *info;

    /* Must be called before the first run; again starts anew. The ahead-of-time backend only checks its own
     * consistency. */
    ecgseg_engine_status_t (*init)(void);

    /* input: input_bytes, output: output_bytes; they may not overlap. */
    ecgseg_engine_status_t (*run)(const int8_t *input, int8_t *output);

    /* Runs the layers 0..layer and copies the bytes offset..offset+count-1 of that layer's result to destination (which
     * may be NULL for a count of 0). A copy, because a streamed layer's result never lies in memory as a whole: any
     * part of it can be had, by running again. */
    ecgseg_engine_status_t (*run_to_layer)(const int8_t *input, uint16_t layer, uint32_t offset, int8_t *destination,
                                           uint32_t count);
} ecgseg_model_t;

#endif
