// Copyright 2026 The sc2_ros authors
// SPDX-License-Identifier: Apache-2.0
/* What the encoder may send of a frame, before the walk: rounding, prediction, skip map.
 *
 * The numpy twin is in frame/symbols.py, frame/reference.py and frame/candidates.py. Floats are
 * added and multiplied in its order, so that both choose the same.
 */

#ifndef SC2_CANDIDATES_H
#define SC2_CANDIDATES_H

#include <stdlib.h>

#include "rans.h"

enum { GAIN_BITS = 12, LARGEST_RATIO = (MAX_SYMBOL + 1) << GAIN_BITS, LARGEST_SHARE = 3 };
/* What it takes to move a symbol by one from its prediction, by one more, to code a position. */
static const float FIRST_BITS = 4.0f, MORE_BITS = 1.0f, POSITION_BITS = 6.0f;
/* Added and taken off again, it leaves the nearest integer, of two the even one. */
static const float ROUNDER = 12582912.0f;

/* A frame at one rate code: C channels, of which `count` are coded, P positions; kernel.py. */
typedef struct {
    int32_t channels;
    int32_t count;
    int32_t positions;
    int32_t slices;
    const float *exact;
    const int8_t *rounded;
    const float *lambda;
    const int8_t *moved;
    const int64_t *ratio;
    const uint8_t *known;
    const uint8_t *was_coded;
    const int32_t *places;
    const int32_t *bounds;
} Source;

/* What the walk takes, by rank; `planes`, `coded_at` by position. */
typedef struct {
    int32_t *values;
    float *rest;
    float *lambda;
    uint8_t *coded;
    uint8_t *coded_at;
    uint8_t *shares;
    uint8_t *slice_shares;
    int8_t *planes;
} Candidates;

INLINE int32_t within(int32_t value, int32_t most)
{
    return value > most ? most : value < -most ? -most : value;
}

/* Latent (C, P) times the gain of each channel: clipped, and rounded. */
EXPORT void sc2_round(
    const float *latent, const float *gain, int32_t channels, int32_t positions, float *exact,
    int8_t *rounded)
{
    for (int32_t channel = 0; channel < channels; channel++) {
        size_t row = (size_t)channel * (size_t)positions;
        for (int32_t i = 0; i < positions; i++) {
            float value = latent[row + i] * gain[channel];
            value = value != value ? 0.0f : value;
            value = value > MAX_SYMBOL ? MAX_SYMBOL : value < -MAX_SYMBOL ? -MAX_SYMBOL : value;
            exact[row + i] = value;
            rounded[row + i] = (int8_t)(int32_t)(value + ROUNDER - ROUNDER);
        }
    }
}

/* The symbols of a channel that the reference predicts, and what coding them is worth. */
APART void channel_worth(
    const Source *from, int32_t channel, int8_t *restrict expected, float *restrict worth)
{
    size_t row = (size_t)channel * (size_t)from->positions;
    const int8_t *restrict moved = from->moved + row, *restrict rounded = from->rounded + row;
    const float *restrict exact = from->exact + row, *restrict lambda = from->lambda;
    int64_t ratio = from->ratio[channel];
    int32_t scale = (int32_t)(ratio < LARGEST_RATIO ? ratio : LARGEST_RATIO);
    for (int32_t i = 0; i < from->positions; i++) {
        int32_t size = moved[i] < 0 ? -moved[i] : moved[i];
        size = (size * scale + (1 << (GAIN_BITS - 1))) >> GAIN_BITS;
        size = size > MAX_SYMBOL ? MAX_SYMBOL : size;
        int32_t symbol = moved[i] < 0 ? -size : size, both = rounded[i] + symbol;
        float away = (float)(rounded[i] - symbol);
        float saved = away * (2.0f * exact[i] - (float)both);
        float cost = (away < 0 ? -away : away) * MORE_BITS + (FIRST_BITS - MORE_BITS);
        saved -= cost * lambda[i];
        worth[i] += saved > 0 ? saved : 0.0f;
        expected[i] = (int8_t)symbol;
    }
}

/* The share class of each slice, and of each rank's. */
INLINE void share_classes(const Source *from, const Candidates *to)
{
    const int32_t *odd = from->bounds + from->slices + 1;
    for (int32_t slice = 0; slice < from->slices; slice++) {
        int32_t coded = 0, positions = 0;
        for (int32_t phase = 0; phase < 2; phase++) {
            const int32_t *bounds = phase ? odd : from->bounds;
            positions += bounds[slice + 1] - bounds[slice];
            for (int32_t rank = bounds[slice]; rank < bounds[slice + 1]; rank++)
                coded += to->coded[rank];
        }
        int32_t share = (coded > 0) + (32 * coded > positions) + (8 * coded > positions);
        to->slice_shares[slice] = (uint8_t)share;
        for (int32_t phase = 0; phase < 2; phase++) {
            const int32_t *bounds = phase ? odd : from->bounds;
            memset(to->shares + bounds[slice], share, (size_t)(bounds[slice + 1] - bounds[slice]));
        }
    }
}

/* By position to by rank; `symbols` (count, P) are the predicted ones. */
INLINE void by_rank(const Source *from, const Candidates *to, const int8_t *symbols)
{
    size_t positions = (size_t)from->positions, channels = (size_t)from->channels;
    for (size_t rank = 0; rank < positions; rank++) {
        size_t place = (size_t)from->places[rank];
        int32_t *values = to->values + rank * channels;
        float *rest = to->rest + rank * channels;
        int coded = !symbols || to->coded_at[place];
        const int8_t *of = coded ? from->rounded : symbols;
        to->lambda[rank] = from->lambda[place];
        if (symbols)
            to->coded[rank] = (uint8_t)coded;
        for (size_t channel = 0; channel < channels; channel++) {
            size_t at = channel * positions + place;
            int sent = channel < (size_t)from->count;
            values[channel] = sent ? of[at] : 0;
            rest[channel] = from->exact[at] - (sent ? (float)from->rounded[at] : 0.0f);
        }
    }
}

/* The candidates of a frame; without `moved`, of a keyframe: then only values, rest and lambda. */
EXPORT int32_t sc2_candidates(const Source *from, const Candidates *to)
{
    if (!from->moved) {
        by_rank(from, to, NULL);
        return 0;
    }
    size_t positions = (size_t)from->positions, width = (size_t)from->channels + 2;
    float *worth = calloc(positions, sizeof(float));
    int8_t *expected = malloc(positions * (size_t)from->channels);
    if (!worth || !expected) {
        free(worth);
        free(expected);
        return -1;
    }
    for (int32_t channel = 0; channel < from->count; channel++)
        channel_worth(from, channel, expected + (size_t)channel * positions, worth);
    memset(
        expected + (size_t)from->count * positions, 0,
        (size_t)(from->channels - from->count) * positions);
    for (size_t i = 0; i < positions; i++) {
        int8_t *plane = to->planes + i * width;
        to->coded_at[i] = worth[i] > from->lambda[i] * POSITION_BITS;
        plane[0] = (int8_t)from->was_coded[i];
        for (size_t channel = 0; channel < width - 2; channel++)
            plane[channel + 1] = (int8_t)within(expected[channel * positions + i], 7);
        plane[width - 1] = (int8_t)from->known[i];
    }
    by_rank(from, to, expected);
    share_classes(from, to);
    free(worth);
    free(expected);
    return 0;
}

#endif
