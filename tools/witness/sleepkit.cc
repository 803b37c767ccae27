/* One inference of the sleep stage model with the library that it was measured with; tells the cycles of each operator
 * in the order of execution, then those of the whole inference. The model comes from the witness.
 */
#include "witness.h"

#include <new>

#include "witness_model.h"

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace
{

constexpr size_t kArenaBytes = 96u * 1024u;
constexpr unsigned kKinds = 16;

TFLMRegistration kinds[kKinds];
const TFLMRegistration *originals[kKinds];

/* Runs one operator and tells its cycles. */
template <unsigned kKind> TfLiteStatus watched(TfLiteContext *context, TfLiteNode *node)
{
    const uint32_t start = witness_now();
    const TfLiteStatus status = originals[kKind]->invoke(context, node);
    const uint32_t end = witness_now();
    witness_tell(end - start);
    return status;
}

using Invoke = TfLiteStatus (*)(TfLiteContext *, TfLiteNode *);
constexpr Invoke kWatched[kKinds] = {
    watched<0>, watched<1>, watched<2>,  watched<3>,  watched<4>,  watched<5>,  watched<6>,  watched<7>,
    watched<8>, watched<9>, watched<10>, watched<11>, watched<12>, watched<13>, watched<14>, watched<15>,
};

/* The operators of the model, each watched. The library is built without its own profiler. */
class Resolver final : public tflite::MicroOpResolver
{
  public:
    bool know()
    {
        const TfLiteStatus found[] = {
            known_.AddShape(),   known_.AddStridedSlice(),    known_.AddPack(),
            known_.AddReshape(), known_.AddDepthwiseConv2D(), known_.AddMean(),
            known_.AddConv2D(),  known_.AddMinimum(),         known_.AddRelu(),
            known_.AddMul(),     known_.AddSpaceToBatchNd(),  known_.AddBatchToSpaceNd(),
            known_.AddAdd(),
        };
        for (const TfLiteStatus status : found) {
            if (status != kTfLiteOk) {
                return false;
            }
        }
        return true;
    }

    const TFLMRegistration *FindOp(tflite::BuiltinOperator code) const override
    {
        const TFLMRegistration *original = known_.FindOp(code);
        for (unsigned kind = 0; original != nullptr && kind < kKinds; kind++) {
            if (originals[kind] == nullptr || originals[kind] == original) {
                originals[kind] = original;
                kinds[kind] = *original;
                kinds[kind].invoke = kWatched[kind];
                return &kinds[kind];
            }
        }
        return nullptr;
    }

    const TFLMRegistration *FindOp(const char *) const override
    {
        return nullptr;
    }

    tflite::TfLiteBridgeBuiltinParseFunction GetOpDataParser(tflite::BuiltinOperator code) const override
    {
        return known_.GetOpDataParser(code);
    }

  private:
    tflite::MicroMutableOpResolver<kKinds> known_;
};

alignas(16) uint8_t arena[kArenaBytes];
alignas(Resolver) uint8_t resolver_place[sizeof(Resolver)];
alignas(tflite::MicroInterpreter) uint8_t interpreter_place[sizeof(tflite::MicroInterpreter)];
tflite::MicroInterpreter *interpreter;

bool start()
{
    Resolver &resolver = *new (resolver_place) Resolver;
    if (!resolver.know()) {
        return false;
    }
    interpreter =
        new (interpreter_place) tflite::MicroInterpreter(tflite::GetModel(witness_model), resolver, arena, kArenaBytes);
    return interpreter->AllocateTensors() == kTfLiteOk;
}

} // namespace

bool witness_run(void)
{
    if (interpreter == nullptr && !start()) {
        return false;
    }
    TfLiteTensor *input = interpreter->input(0);
    for (size_t i = 0; i < input->bytes; i++) {
        input->data.int8[i] = static_cast<int8_t>(i * 37u);
    }
    const uint32_t start_cycles = witness_now();
    const TfLiteStatus status = interpreter->Invoke();
    const uint32_t end_cycles = witness_now();
    witness_tell(end_cycles - start_cycles);
    return status == kTfLiteOk;
}
