/* Between the TensorFlow Lite Micro backend and what is rendered for a model (<prefix>_tflm_model.cc). */
#ifndef ECGSEG_TFLM_H
#define ECGSEG_TFLM_H

#include <cstddef>
#include <cstdint>

#include "tensorflow/lite/micro/micro_common.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_op_resolver.h"
#include "tensorflow/lite/micro/tflite_bridge/flatbuffer_conversions_bridge.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" {
#include "ecgseg_engine.h"
}

/* One kind of operator: what TensorFlow Lite Micro's own resolver would hold, and a function that runs it under
 * watch. */
struct EcgsegTflmOperator {
    tflite::BuiltinOperator code;
    TFLMRegistration registration;
    TfLiteStatus (*kernel)(TfLiteContext *context, TfLiteNode *node);
    tflite::TfLiteBridgeBuiltinParseFunction parse;
};

/* Knows the operators of one model and no others. */
class EcgsegTflmResolver : public tflite::MicroOpResolver
{
  public:
    EcgsegTflmResolver(const EcgsegTflmOperator *operators, size_t count) : operators_(operators), count_(count)
    {
    }
    const TFLMRegistration *FindOp(tflite::BuiltinOperator code) const override;
    const TFLMRegistration *FindOp(const char *name) const override;
    tflite::TfLiteBridgeBuiltinParseFunction GetOpDataParser(tflite::BuiltinOperator code) const override;

  private:
    const EcgsegTflmOperator *find(tflite::BuiltinOperator code) const;

    /* Lies in static memory and is never deleted. */
    static void operator delete(void *)
    {
    }

    const EcgsegTflmOperator *operators_;
    size_t count_;
};

/* A model: what is rendered of it, then what the backend keeps while it runs. Static, without a constructor. */
struct EcgsegTflmModel {
    const uint8_t *flatbuffer;
    const ecgseg_layer_info_t *layers;
    uint16_t layer_count;
    uint32_t input_bytes;
    uint32_t output_bytes;
    EcgsegTflmOperator *operators;
    size_t operator_count;
    void (*add_operators)(); /* fills `operators`: a registration is only known at run time */
    int8_t *trace;           /* room for the largest layer's result */

    tflite::MicroInterpreter *interpreter = nullptr; /* once started */
    uint16_t traced = UINT16_MAX;                    /* layer after which the run ends */
    uint16_t position = 0;                           /* of the operator in the model */
    bool trace_taken = false;
    alignas(tflite::MicroInterpreter) uint8_t interpreter_memory[sizeof(tflite::MicroInterpreter)] = {};
    alignas(EcgsegTflmResolver) uint8_t resolver_memory[sizeof(EcgsegTflmResolver)] = {};
};

/* Runs an operator of that kind; at the layer that is asked for it keeps the result and ends the run. */
TfLiteStatus ecgseg_tflm_invoke(EcgsegTflmModel &model, const EcgsegTflmOperator &kind, TfLiteContext *context,
                                TfLiteNode *node);

/* Starts the model in an arena of that size, aligned to 16 bytes. BACKEND_FAILED when it is too small. */
ecgseg_engine_status_t ecgseg_tflm_start(EcgsegTflmModel &model, uint8_t *arena, size_t bytes);

/* Bytes of the arena that the started model occupies between runs; starting takes more for a while. */
size_t ecgseg_tflm_used(const EcgsegTflmModel &model);

/* As `run` and `run_to_layer` of ecgseg_model_t; BACKEND_FAILED before a good start. */
ecgseg_engine_status_t ecgseg_tflm_run(EcgsegTflmModel &model, const int8_t *input, int8_t *output);
ecgseg_engine_status_t ecgseg_tflm_run_to_layer(EcgsegTflmModel &model, const int8_t *input, uint16_t layer,
                                                uint32_t offset, int8_t *destination, uint32_t count);

#endif
