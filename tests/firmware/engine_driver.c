/* Test program: int8 inputs on standard input, one after the other; for each, the output and then the result of every
 * layer on standard output. */
#include <stdio.h>
#include <stdlib.h>

#include "ecgseg_model.h"

int main(void)
{
    const ecgseg_model_info_t *info = &ecgseg_model_info;
    int8_t *input = malloc(info->input_bytes);
    int8_t *output = malloc(info->output_bytes);
    if (input == NULL || output == NULL || ecgseg_model_init() != ECGSEG_ENGINE_OK) {
        return 2;
    }
    while (fread(input, 1, info->input_bytes, stdin) == info->input_bytes) {
        if (ecgseg_model_run(input, output) != ECGSEG_ENGINE_OK) {
            return 3;
        }
        if (fwrite(output, 1, info->output_bytes, stdout) != info->output_bytes) {
            return 4;
        }
        for (uint16_t layer = 0; layer < info->layer_count; layer++) {
            const uint32_t bytes = info->layers[layer].bytes;
            int8_t *result = malloc(bytes);
            /* In two parts: what is streamed is copied while it passes. */
            const uint32_t part = bytes / 3;
            const int bad =
                result == NULL || ecgseg_model_run_to_layer(input, layer, 0, result, part) != ECGSEG_ENGINE_OK ||
                ecgseg_model_run_to_layer(input, layer, part, result + part, bytes - part) != ECGSEG_ENGINE_OK ||
                fwrite(result, 1, bytes, stdout) != bytes;
            free(result);
            if (bad) {
                return 5;
            }
        }
    }
    free(input);
    free(output);
    return 0;
}
