/* Waves of a stream of classes as they end, and the R of a QRS complex as it goes by; the reference is
 * host/ecgseg/pipeline/waves.py. */
#ifndef ECGSEG_WAVES_H
#define ECGSEG_WAVES_H

#include <stdbool.h>
#include <stdint.h>

/* Classes. */
#define ECGSEG_NONE 0u
#define ECGSEG_P 1u
#define ECGSEG_QRS 2u
#define ECGSEG_T 3u
/* Of events, beside the classes: NONE by little, P would be next. */
#define ECGSEG_FAINT_P 4u

/* Samples are counted modulo 2^32. */
typedef struct {
    uint32_t first, last; /* both inclusive */
    uint8_t label;        /* class, 0 where there is no wave */
    bool begins, ends;    /* false where the signal begins or ends within the wave: its own end is not known */
} ecgseg_wave_t;

/* R: the sample furthest from the level in front of the complex. */
typedef struct {
    int32_t level, height, left, right; /* left and right of R; all but the level from the level */
    int32_t steepness;                  /* largest step from a sample to the next */
    int32_t after;                      /* the sample behind the complex's last, from the level */
    uint32_t at;
    bool is_empty, wants_right;
} ecgseg_peak_t;

/* Takes a sample that has contact and goes on as the one before did, in a wave or between waves: nearly every one.
 * False for another one, of which nothing is taken. */
static inline bool ecgseg_wave_goes_on(ecgseg_wave_t *open, uint32_t now, uint8_t label)
{
    if (label != open->label) {
        return false;
    }
    if (label != ECGSEG_NONE) {
        open->last = now;
    }
    return true;
}

/* Takes any other sample that has contact; `continues` says that so had the one before. True when it ends a wave:
 * *done, of any length. */
bool ecgseg_waves_push(ecgseg_wave_t *open, uint32_t now, uint8_t label, bool continues, ecgseg_wave_t *done);

/* The signal ends in front of sample `now`. */
bool ecgseg_waves_cut(ecgseg_wave_t *open, uint32_t now, ecgseg_wave_t *done);

/* Begins a complex; takes one of its samples and the one before it; takes any sample, before it is added: is_next says
 * that the one before was the complex's last so far. */
void ecgseg_peak_begin(ecgseg_peak_t *peak, int32_t level);
void ecgseg_peak_add(ecgseg_peak_t *peak, uint32_t now, int32_t sample, int32_t before);
void ecgseg_peak_follow(ecgseg_peak_t *peak, int32_t sample, bool is_next);

/* How far the top of the parabola through R and its neighbours is from R, in 1/32 samples, -16 to 16; 0 where R is not
 * above both of them. */
int32_t ecgseg_peak_fine(const ecgseg_peak_t *peak);

static inline uint32_t ecgseg_wave_length(const ecgseg_wave_t *wave)
{
    return wave->last - wave->first + 1u;
}

static inline int32_t ecgseg_distance(int32_t a, int32_t b)
{
    return a < b ? b - a : a - b;
}

#endif
