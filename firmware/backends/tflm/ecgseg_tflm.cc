/* The engine over TensorFlow Lite Micro: runs rendered models with its interpreter, without heap and without
 * constructors before main(). Every failure is a status, which the application tells over the link. Nothing here knows
 * a model or an arena: both come as arguments.
 */
#include "ecgseg_tflm.h"

#include <cstdarg>
#include <cstring>
#include <new>

#include "tensorflow/lite/micro/debug_log.h"

namespace
{

constexpr uint16_t kNoLayer = UINT16_MAX;

bool holds_int8(const TfLiteTensor *tensor, size_t bytes)
{
    return tensor != nullptr && tensor->type == kTfLiteInt8 && tensor->bytes == bytes && tensor->data.int8 != nullptr;
}

void end(EcgsegTflmModel &model)
{
    if (model.interpreter != nullptr) {
        model.interpreter->~MicroInterpreter();
        model.interpreter = nullptr;
    }
}

ecgseg_engine_status_t run(EcgsegTflmModel &model, const int8_t *input)
{
    if (model.interpreter == nullptr) {
        return ECGSEG_ENGINE_BACKEND_FAILED;
    }
    /* Where the input lies another activation may have been since the last run. */
    (void)std::memcpy(model.interpreter->input(0)->data.int8, input, model.input_bytes);
    model.position = 0;
    model.trace_taken = false;
    const TfLiteStatus status = model.interpreter->Invoke();
    /* A run that ends at a layer ends with kTfLiteAbort. */
    return status == kTfLiteOk || model.trace_taken ? ECGSEG_ENGINE_OK : ECGSEG_ENGINE_BACKEND_FAILED;
}

} // namespace

const TFLMRegistration *EcgsegTflmResolver::FindOp(tflite::BuiltinOperator code) const
{
    const EcgsegTflmOperator *kind = find(code);
    return kind == nullptr ? nullptr : &kind->registration;
}

const TFLMRegistration *EcgsegTflmResolver::FindOp(const char *) const
{
    return nullptr;
}

tflite::TfLiteBridgeBuiltinParseFunction EcgsegTflmResolver::GetOpDataParser(tflite::BuiltinOperator code) const
{
    const EcgsegTflmOperator *kind = find(code);
    return kind == nullptr ? nullptr : kind->parse;
}

const EcgsegTflmOperator *EcgsegTflmResolver::find(tflite::BuiltinOperator code) const
{
    for (size_t i = 0; i < count_; i++) {
        if (operators_[i].code == code) {
            return &operators_[i];
        }
    }
    return nullptr;
}

TfLiteStatus ecgseg_tflm_invoke(EcgsegTflmModel &model, const EcgsegTflmOperator &kind, TfLiteContext *context,
                                TfLiteNode *node)
{
    const TfLiteStatus status = kind.kernel(context, node);
    const uint16_t here = model.position++;
    if (status != kTfLiteOk || model.traced == kNoLayer || model.layers[model.traced].operator_index != here) {
        return status;
    }
    const ecgseg_layer_info_t &layer = model.layers[model.traced];
    const TfLiteEvalTensor *result = context->GetEvalTensor(context, layer.tensor_index);
    if (result == nullptr || result->type != kTfLiteInt8 || result->data.int8 == nullptr) {
        return kTfLiteError;
    }
    (void)std::memcpy(model.trace, result->data.int8, layer.bytes);
    model.trace_taken = true;
    return tflite::kTfLiteAbort;
}

ecgseg_engine_status_t ecgseg_tflm_start(EcgsegTflmModel &model, uint8_t *arena, size_t bytes)
{
    end(model);
    model.add_operators();
    const tflite::Model *content = tflite::GetModel(model.flatbuffer);
    if (content->version() != TFLITE_SCHEMA_VERSION) {
        return ECGSEG_ENGINE_BACKEND_FAILED;
    }
    const EcgsegTflmResolver *resolver =
        new (model.resolver_memory) EcgsegTflmResolver(model.operators, model.operator_count);
    model.interpreter = new (model.interpreter_memory) tflite::MicroInterpreter(content, *resolver, arena, bytes);
    if (model.interpreter->initialization_status() != kTfLiteOk || model.interpreter->AllocateTensors() != kTfLiteOk ||
        !holds_int8(model.interpreter->input(0), model.input_bytes) ||
        !holds_int8(model.interpreter->output(0), model.output_bytes)) {
        end(model);
        return ECGSEG_ENGINE_BACKEND_FAILED;
    }
    return ECGSEG_ENGINE_OK;
}

size_t ecgseg_tflm_used(const EcgsegTflmModel &model)
{
    return model.interpreter == nullptr ? 0 : model.interpreter->arena_used_bytes();
}

ecgseg_engine_status_t ecgseg_tflm_run(EcgsegTflmModel &model, const int8_t *input, int8_t *output)
{
    if (input == nullptr || output == nullptr) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    model.traced = kNoLayer;
    const ecgseg_engine_status_t status = run(model, input);
    if (status == ECGSEG_ENGINE_OK) {
        (void)std::memcpy(output, model.interpreter->output(0)->data.int8, model.output_bytes);
    }
    return status;
}

ecgseg_engine_status_t ecgseg_tflm_run_to_layer(EcgsegTflmModel &model, const int8_t *input, uint16_t layer,
                                                uint32_t offset, int8_t *destination, uint32_t count)
{
    if (input == nullptr || layer >= model.layer_count || (destination == nullptr && count > 0)) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    const uint32_t bytes = model.layers[layer].bytes;
    if (offset > bytes || count > bytes - offset) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    model.traced = layer;
    const ecgseg_engine_status_t status = run(model, input);
    if (status == ECGSEG_ENGINE_OK && count > 0) {
        (void)std::memcpy(destination, model.trace + offset, count);
    }
    return status;
}

extern "C" {

/* The port carries the protocol alone: text of the library has no place in it. The status tells that something
 * failed. */
void DebugLog(const char *, va_list)
{
}

int DebugVsnprintf(char *buffer, size_t size, const char *, va_list)
{
    if (buffer != nullptr && size > 0) {
        buffer[0] = '\0';
    }
    return 0;
}

#if !defined(__linux__)
/* The library aborts where it finds itself inconsistent. The trap is a fault: the board keeps the registers, restarts
 * and tells them in HELLO. */
void abort(void)
{
    __builtin_trap();
}
#endif

} // extern "C"
