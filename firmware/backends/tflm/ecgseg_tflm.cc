/* The engine over TensorFlow Lite Micro: implements ecgseg_engine.h with its interpreter, without heap and without
 * constructors before main(). Every failure is a status, which the application tells over the link.
 */
#include "ecgseg_tflm.h"

#include <cstdarg>
#include <cstring>
#include <new>

#include "tensorflow/lite/micro/debug_log.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_op_resolver.h"

namespace
{

constexpr size_t kAlignment = 16; /* of TensorFlow Lite Micro's arena */
constexpr uint16_t kNoLayer = UINT16_MAX;

/* Knows the operators of the model and no others. */
class Resolver : public tflite::MicroOpResolver
{
  public:
    const TFLMRegistration *FindOp(tflite::BuiltinOperator code) const override
    {
        const EcgsegTflmOperator *kind = find(code);
        return kind == nullptr ? nullptr : &kind->registration;
    }

    const TFLMRegistration *FindOp(const char *) const override
    {
        return nullptr;
    }

    tflite::TfLiteBridgeBuiltinParseFunction GetOpDataParser(tflite::BuiltinOperator code) const override
    {
        const EcgsegTflmOperator *kind = find(code);
        return kind == nullptr ? nullptr : kind->parse;
    }

  private:
    static const EcgsegTflmOperator *find(tflite::BuiltinOperator code)
    {
        for (size_t i = 0; i < ecgseg_tflm_operator_count; i++) {
            if (ecgseg_tflm_operators[i].code == code) {
                return &ecgseg_tflm_operators[i];
            }
        }
        return nullptr;
    }

    /* Lies in static memory and is never deleted. */
    static void operator delete(void *)
    {
    }
};

alignas(Resolver) uint8_t resolver_memory[sizeof(Resolver)];
alignas(tflite::MicroInterpreter) uint8_t interpreter_memory[sizeof(tflite::MicroInterpreter)];
tflite::MicroInterpreter *interpreter;
int8_t trace[ECGSEG_MODEL_LARGEST_LAYER_BYTES];
uint16_t traced = kNoLayer; /* layer after which the run ends */
bool trace_taken;
uint16_t position; /* of the operator in the model */

#if defined(ECGSEG_TFLM_ARENA_BYTES)
alignas(kAlignment) uint8_t arena[ECGSEG_TFLM_ARENA_BYTES];
#endif

bool holds_int8(const TfLiteTensor *tensor, size_t bytes)
{
    return tensor != nullptr && tensor->type == kTfLiteInt8 && tensor->bytes == bytes && tensor->data.int8 != nullptr;
}

ecgseg_engine_status_t run(const int8_t *input)
{
    if (interpreter == nullptr) {
        return ECGSEG_ENGINE_BACKEND_FAILED;
    }
    /* Where the input lies another activation may have been since the last run. */
    (void)std::memcpy(interpreter->input(0)->data.int8, input, ECGSEG_MODEL_INPUT_BYTES);
    position = 0;
    trace_taken = false;
    const TfLiteStatus status = interpreter->Invoke();
    /* A run that ends at a layer ends with kTfLiteAbort. */
    return status == kTfLiteOk || trace_taken ? ECGSEG_ENGINE_OK : ECGSEG_ENGINE_BACKEND_FAILED;
}

} // namespace

TfLiteStatus ecgseg_tflm_invoke(const EcgsegTflmOperator &kind, TfLiteContext *context, TfLiteNode *node)
{
    const TfLiteStatus status = kind.kernel(context, node);
    const uint16_t here = position++;
    if (status != kTfLiteOk || traced == kNoLayer || ecgseg_tflm_layers[traced].operator_index != here) {
        return status;
    }
    const TfLiteEvalTensor *result = context->GetEvalTensor(context, ecgseg_tflm_layers[traced].tensor_index);
    if (result == nullptr || result->type != kTfLiteInt8 || result->data.int8 == nullptr) {
        return kTfLiteError;
    }
    (void)std::memcpy(trace, result->data.int8, ecgseg_tflm_layers[traced].bytes);
    trace_taken = true;
    return tflite::kTfLiteAbort;
}

ecgseg_engine_status_t ecgseg_tflm_start(uint8_t *memory, size_t bytes)
{
    if (interpreter != nullptr) {
        interpreter->~MicroInterpreter();
        interpreter = nullptr;
    }
    ecgseg_tflm_register();
    const tflite::Model *model = tflite::GetModel(ecgseg_tflm_flatbuffer);
    if (model->version() != TFLITE_SCHEMA_VERSION) {
        return ECGSEG_ENGINE_BACKEND_FAILED;
    }
    const Resolver *resolver = new (resolver_memory) Resolver;
    interpreter = new (interpreter_memory) tflite::MicroInterpreter(model, *resolver, memory, bytes);
    if (interpreter->initialization_status() != kTfLiteOk || interpreter->AllocateTensors() != kTfLiteOk ||
        !holds_int8(interpreter->input(0), ECGSEG_MODEL_INPUT_BYTES) ||
        !holds_int8(interpreter->output(0), ECGSEG_MODEL_OUTPUT_BYTES)) {
        interpreter->~MicroInterpreter();
        interpreter = nullptr;
        return ECGSEG_ENGINE_BACKEND_FAILED;
    }
    return ECGSEG_ENGINE_OK;
}

size_t ecgseg_tflm_used()
{
    return interpreter == nullptr ? 0 : interpreter->arena_used_bytes();
}

extern "C" {

#if defined(ECGSEG_TFLM_ARENA_BYTES)
ecgseg_engine_status_t ecgseg_model_init(void)
{
    return ecgseg_tflm_start(arena, sizeof arena);
}
#endif

ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output)
{
    if (input == nullptr || output == nullptr) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    traced = kNoLayer;
    const ecgseg_engine_status_t status = run(input);
    if (status == ECGSEG_ENGINE_OK) {
        (void)std::memcpy(output, interpreter->output(0)->data.int8, ECGSEG_MODEL_OUTPUT_BYTES);
    }
    return status;
}

ecgseg_engine_status_t ecgseg_model_run_to_layer(const int8_t *input, uint16_t layer, uint32_t offset,
                                                 int8_t *destination, uint32_t count)
{
    if (input == nullptr || layer >= ECGSEG_MODEL_LAYER_COUNT || (destination == nullptr && count > 0)) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    const uint32_t bytes = ecgseg_tflm_layers[layer].bytes;
    if (offset > bytes || count > bytes - offset) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    traced = layer;
    const ecgseg_engine_status_t status = run(input);
    if (status == ECGSEG_ENGINE_OK && count > 0) {
        (void)std::memcpy(destination, trace + offset, count);
    }
    return status;
}

/* The port carries the protocol alone: text of the library has no place in it. The status tells that something failed. */
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
