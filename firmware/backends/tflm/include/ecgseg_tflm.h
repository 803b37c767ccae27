/* Between the TensorFlow Lite Micro backend and what is rendered for a model (ecgseg_tflm_model.cc). */
#ifndef ECGSEG_TFLM_H
#define ECGSEG_TFLM_H

#include <cstddef>
#include <cstdint>

#include "tensorflow/lite/micro/micro_common.h"
#include "tensorflow/lite/micro/tflite_bridge/flatbuffer_conversions_bridge.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" {
#include "ecgseg_engine.h"
#include "ecgseg_model.h"
}

/* One kind of operator: what TensorFlow Lite Micro's own resolver would hold, and a function that runs it under watch. */
struct EcgsegTflmOperator {
    tflite::BuiltinOperator code;
    TFLMRegistration registration;
    TfLiteStatus (*kernel)(TfLiteContext *context, TfLiteNode *node);
    tflite::TfLiteBridgeBuiltinParseFunction parse;
};

extern const uint8_t ecgseg_tflm_flatbuffer[];
extern const ecgseg_layer_info_t ecgseg_tflm_layers[ECGSEG_MODEL_LAYER_COUNT];
extern EcgsegTflmOperator ecgseg_tflm_operators[];
extern const size_t ecgseg_tflm_operator_count;

/* Fills ecgseg_tflm_operators: a registration is only known at run time. */
void ecgseg_tflm_register();

/* Runs an operator of that kind; at the layer that is asked for it keeps the result and ends the run. */
TfLiteStatus ecgseg_tflm_invoke(const EcgsegTflmOperator &kind, TfLiteContext *context, TfLiteNode *node);

/* Starts the model in an arena of that size, aligned to 16 bytes. BACKEND_FAILED when it is too small. */
ecgseg_engine_status_t ecgseg_tflm_start(uint8_t *arena, size_t bytes);

/* Bytes of the arena that the started model occupies between runs; starting takes more for a while. */
size_t ecgseg_tflm_used();

#endif
