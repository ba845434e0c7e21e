// Copyright 2026 The sc2_ros authors
// SPDX-License-Identifier: Apache-2.0
/* The integer context network, and what it sees of a frame.
 *
 *   symbols known so far, 3x3 around --int16--> +
 *   reference's planes, 3x3 around   --int16--> +  hidden, clipped --int16--> mean, spread -> table
 *
 * Nine symbols in ten are zero, so only the weights of those that are not are added up. All sums
 * are integers: the result is that of the numpy walk, whatever the machine.
 */

#ifndef SC2_NETWORK_H
#define SC2_NETWORK_H

#include <stdlib.h>

#include "rans.h"

enum { TAPS = 9, PHASES = 2, REACH = 7, HIDDEN_MAX = 1023, BLOCK = 16, MAX_HIDDEN = 256 };
enum { MEAN_BITS = 8, MEAN_MAX = 59, LEVEL_BITS = 11, LEVEL_FACTOR = 5, LEVELS = 29 };
enum { FRACTIONS = 8, CERTAIN = 1, TABLES = 232 };
enum { ODDS_BITS = 10, ODDS_LOWEST = -14, ODDS_HIGHEST = 8 };
/* So many products of a symbol and a weight, 7 x 127 each, add up to less than 2^15. */
enum { EXACT_TERMS = 36 };
/* So many terms are taken at a time: all that a position of the shipped networks has, for a loop
 * that ends here or there costs more. */
enum { CHUNK = 24 };
/* Sums of so many pairs of blocks stay in registers. */
enum { MOST_WIDE = 4 };

/* A context network at one rate code; arrays as in kernel.py. */
typedef struct {
    int32_t groups;
    int32_t channels;
    int32_t hidden;
    int32_t side_planes;
    int32_t has_map;
    const Bank *bank;
    const int32_t *starts;
    const int16_t *enter;
    const int32_t *enter_bias;
    const int32_t *share_bias;
    const int16_t *leave;
    const int32_t *leave_bias;
} Network;

/* The order of a frame's or a slice's positions, and what a reference says round each. */
typedef struct {
    int32_t positions;
    int32_t split;
    int32_t places;
    const int32_t *around;
    const int32_t *frame_around;
    const int8_t *planes;
    const uint8_t *shares;
} Positions;

/* By position, the channels that are known and not zero: where their weights begin, and values.
 *
 * The last row is that of the position that is none. */
typedef struct {
    int32_t positions;
    int32_t width;
    int32_t hidden;
    int32_t *count;
    int32_t *visible;
    int32_t *offset;
    int16_t *value;
} Known;

/* What enters the hidden units of a position. */
typedef struct {
    int32_t count;
    int32_t *offset;
    int16_t *value;
} Terms;

typedef int16_t Shorts __attribute__((vector_size(2 * BLOCK)));
typedef int16_t Wide __attribute__((vector_size(4 * BLOCK)));

/* What a walk works with.
 *
 * usual: what map and known are at most positions; usual_sums (groups, 2, H): what those alone would
 * add, so that only what differs has to be added. */
typedef struct {
    Known known;
    Known reference;
    Terms terms;
    int32_t usual[2];
    int32_t *usual_sums;
} Walk;

INLINE int known_make(Known *known, int32_t positions, int32_t width, int32_t hidden)
{
    size_t rows = (size_t)positions + 1, most = rows * (size_t)width + CHUNK;
    known->positions = positions;
    known->width = width;
    known->hidden = hidden;
    known->count = calloc(2 * rows, sizeof(int32_t));
    known->offset = calloc(most, sizeof(int32_t));
    known->value = calloc(most, sizeof(int16_t));
    known->visible = known->count + rows;
    return known->count && known->offset && known->value;
}

INLINE void known_free(Known *known)
{
    free(known->count);
    free(known->offset);
    free(known->value);
}

INLINE void known_put(Known *known, int32_t position, int32_t channel, int32_t value)
{
    if (value) {
        int32_t at = position * known->width + known->count[position]++;
        known->offset[at] = channel * known->hidden;
        known->value[at] = (int16_t)(value > REACH ? REACH : value < -REACH ? -REACH : value);
    }
}

INLINE void walk_free(Walk *walk)
{
    known_free(&walk->known);
    known_free(&walk->reference);
    free(walk->terms.offset);
    free(walk->terms.value);
    free(walk->usual_sums);
}

/* The weights of a step: a row of hidden units for each tap and channel, then for each tap and
 * plane. */
INLINE const int16_t *step_weights(const Network *net, int32_t step)
{
    size_t rows = TAPS * (size_t)(net->channels + net->side_planes);
    return net->enter + (size_t)step * rows * (size_t)net->hidden;
}

/* Lists of what a reference says of each place, less what is usual. */
INLINE void reference_put(Walk *walk, const Network *net, const Positions *where)
{
    int32_t planes = net->side_planes, coded = 0, steps = net->groups * PHASES;
    for (int32_t place = 0; place < where->places; place++)
        coded += where->planes[(size_t)place * (size_t)planes];
    walk->usual[0] = 2 * coded > where->places;
    walk->usual[1] = 1;
    for (int32_t place = 0; place <= where->places; place++) {
        const int8_t *plane = where->planes + (size_t)place * (size_t)planes;
        int beyond = place == where->places;
        known_put(&walk->reference, place, 0, (beyond ? 0 : plane[0]) - walk->usual[0]);
        for (int32_t i = 1; !beyond && i < planes - 1; i++)
            known_put(&walk->reference, place, i, plane[i]);
        known_put(
            &walk->reference, place, planes - 1, (beyond ? 0 : plane[planes - 1]) - walk->usual[1]);
        walk->reference.visible[place] = walk->reference.count[place];
    }
    memset(walk->usual_sums, 0, (size_t)(steps * net->hidden) * sizeof(int32_t));
    for (int32_t step = 0; step < steps; step++)
        for (int32_t row = 0; row < TAPS * planes; row++) {
            int32_t plane = row % planes;
            if (plane ? plane < planes - 1 : !walk->usual[0])
                continue;
            const int16_t *weights = step_weights(net, step) + (TAPS * net->channels + row) * net->hidden;
            for (int32_t i = 0; i < net->hidden; i++)
                walk->usual_sums[step * net->hidden + i] += weights[i];
        }
}

INLINE int walk_make(Walk *walk, const Network *net, const Positions *where)
{
    memset(walk, 0, sizeof *walk);
    int32_t planes = where->planes ? net->side_planes : 0;
    size_t most = TAPS * (size_t)(net->channels + planes) + CHUNK;
    walk->terms.offset = malloc(most * sizeof(int32_t));
    walk->terms.value = malloc(most * sizeof(int16_t));
    int made = known_make(&walk->known, where->positions, net->channels, net->hidden);
    made = made && walk->terms.offset && walk->terms.value;
    if (planes) {
        size_t sums = (size_t)(net->groups * PHASES * net->hidden);
        walk->usual_sums = malloc(sums * sizeof(int32_t));
        made = known_make(&walk->reference, where->places, planes, net->hidden) && made;
        made = made && walk->usual_sums;
        if (made)
            reference_put(walk, net, where);
    }
    if (!made)
        walk_free(walk);
    return made;
}

/* What a step has made known is seen by those that follow. */
INLINE void commit(Known *known, int32_t begin, int32_t end)
{
    memcpy(known->visible + begin, known->count + begin, sizeof(int32_t) * (size_t)(end - begin));
}

/* Append what is known round a position; first: where the weights of the first tap begin. */
APART void gather(Terms *terms, const Known *known, const int32_t *around, int32_t first)
{
    int32_t count = terms->count;
    for (int32_t tap = 0; tap < TAPS; tap++) {
        int32_t other = around[tap], begin = 0;
        int32_t of_tap = first + tap * known->width * known->hidden, visible = known->visible[other];
        const int32_t *offset = known->offset + (size_t)other * (size_t)known->width;
        const int16_t *value = known->value + (size_t)other * (size_t)known->width;
        /* Whole chunks, what is too much is written over: a loop that ends here or there costs
         * more. */
        do {
            for (int i = 0; i < CHUNK; i++)
                terms->offset[count + begin + i] = offset[begin + i] + of_tap;
            memcpy(terms->value + count + begin, value + begin, sizeof(int16_t) * CHUNK);
            begin += CHUNK;
        } while (begin < visible);
        count += visible;
    }
    terms->count = count;
}

/* Add terms and their weights to `wide` pairs of blocks of sums and, with `half`, to one block more;
 * both are known to the compiler. */
INLINE void add_blocks(
    int32_t *sums, const Terms *terms, const int16_t *weights, const int wide, const int half)
{
    for (int32_t begin = 0; begin < terms->count; begin += EXACT_TERMS) {
        int32_t left = terms->count - begin, end = begin + (left < EXACT_TERMS ? left : EXACT_TERMS);
        Wide part[MOST_WIDE] = {{0}};
        Shorts rest = {0};
        for (int32_t term = begin; term < end; term++) {
            const int16_t *row = weights + terms->offset[term];
            for (int i = 0; i < wide; i++) {
                Wide of_term;
                memcpy(&of_term, row + i * 2 * BLOCK, sizeof of_term);
                part[i] += of_term * terms->value[term];
            }
            if (half) {
                Shorts of_term;
                memcpy(&of_term, row + wide * 2 * BLOCK, sizeof of_term);
                rest += of_term * terms->value[term];
            }
        }
        int16_t found[(2 * MOST_WIDE + 1) * BLOCK];
        memcpy(found, part, (size_t)wide * sizeof(Wide));
        memcpy(found + wide * 2 * BLOCK, &rest, (size_t)half * sizeof rest);
        for (int i = 0; i < (2 * wide + half) * BLOCK; i++)
            sums[i] += found[i];
    }
}

/* Add the products of terms and their weights to `width` sums, a multiple of BLOCK. */
APART void add_products(
    int32_t *sums, const Terms *terms, const int16_t *weights, int32_t width)
{
    for (int32_t blocks = width / BLOCK, taken; blocks; blocks -= taken) {
        taken = blocks < 2 * MOST_WIDE ? blocks : 2 * MOST_WIDE;
        switch (taken) {
        case 8: add_blocks(sums, terms, weights, 4, 0); break;
        case 7: add_blocks(sums, terms, weights, 3, 1); break;
        case 6: add_blocks(sums, terms, weights, 3, 0); break;
        case 5: add_blocks(sums, terms, weights, 2, 1); break;
        case 4: add_blocks(sums, terms, weights, 2, 0); break;
        case 3: add_blocks(sums, terms, weights, 1, 1); break;
        case 2: add_blocks(sums, terms, weights, 1, 0); break;
        default: add_blocks(sums, terms, weights, 0, 1); break;
        }
        sums += taken * BLOCK;
        weights += taken * BLOCK;
    }
}

INLINE int32_t left(const int16_t *hidden, const int16_t *weights, int32_t bias, int32_t width)
{
    int32_t sum = 0;
    for (int32_t from = 0; from < width; from += BLOCK)
        for (int i = 0; i < BLOCK; i++)
            sum += hidden[from + i] * weights[from + i];
    return sum + bias;
}

/* Table and mean of a symbol; table 0: it is zero and not coded. */
APART int32_t expect(
    const Network *net, const int16_t *hidden, int32_t channel, int32_t phase, int32_t *mean)
{
    size_t at = (size_t)(channel * PHASES + phase) * 2, width = (size_t)net->hidden;
    int32_t eighths = left(hidden, net->leave + at * width, net->leave_bias[at], net->hidden);
    int32_t level = left(
        hidden, net->leave + (at + 1) * width, net->leave_bias[at + 1], net->hidden);
    eighths = (eighths + (1 << (MEAN_BITS - 1))) >> MEAN_BITS;
    eighths = eighths > MEAN_MAX ? MEAN_MAX : eighths < -MEAN_MAX ? -MEAN_MAX : eighths;
    level = (level * LEVEL_FACTOR) >> LEVEL_BITS;
    level = level < 0 ? 0 : level > LEVELS - 1 ? LEVELS - 1 : level;
    *mean = (eighths + FRACTIONS / 2) >> 3;
    if (level == 0 && eighths >= -CERTAIN && eighths <= CERTAIN)
        return 0;
    return 1 + level * FRACTIONS + ((eighths + FRACTIONS / 2) & (FRACTIONS - 1));
}

/* Table of whether a position is coded. */
APART int32_t expect_map(const Network *net, const int16_t *hidden, int32_t phase)
{
    size_t at = (size_t)phase * 2;
    int32_t odds = left(
        hidden, net->leave + at * (size_t)net->hidden, net->leave_bias[at], net->hidden);
    odds = (odds + (1 << (ODDS_BITS - 1))) >> ODDS_BITS;
    odds = odds < ODDS_LOWEST ? ODDS_LOWEST : odds > ODDS_HIGHEST ? ODDS_HIGHEST : odds;
    return TABLES + 1 - ODDS_LOWEST + odds;
}

/* The hidden units of a position, clipped. */
INLINE void enter(
    int16_t *out, Walk *walk, const Network *net, const Positions *where, int32_t step,
    int32_t rank)
{
    size_t width = (size_t)net->hidden;
    int32_t sums[MAX_HIDDEN];
    memcpy(sums, net->enter_bias + (size_t)step * width, width * sizeof(int32_t));
    walk->terms.count = 0;
    gather(&walk->terms, &walk->known, where->around + (size_t)rank * TAPS, 0);
    if (net->has_map) {
        int32_t row = where->shares[rank] * net->groups * PHASES + step;
        const int32_t *share = net->share_bias + (size_t)row * width;
        const int32_t *usual = walk->usual_sums + (size_t)step * width;
        for (size_t i = 0; i < width; i++)
            sums[i] += share[i] + usual[i];
        gather(
            &walk->terms, &walk->reference, where->frame_around + (size_t)rank * TAPS,
            TAPS * net->channels * net->hidden);
    }
    add_products(sums, &walk->terms, step_weights(net, step), net->hidden);
    for (size_t i = 0; i < width; i++) {
        int32_t sum = sums[i] < 0 ? 0 : sums[i];
        out[i] = (int16_t)(sum > HIDDEN_MAX ? HIDDEN_MAX : sum);
    }
}

#endif
