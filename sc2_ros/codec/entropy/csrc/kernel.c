// Copyright 2026 The sc2_ros authors
// SPDX-License-Identifier: Apache-2.0
/* What kernel.py calls: the checkerboard walk of a context network, and rANS; candidates.h has more.
 *
 * Loaded with ctypes, which releases the interpreter's lock for each call.
 */

#include "candidates.h"
#include "network.h"

/* What a call returns where it fails: no memory; bytes that no encoder makes. */
enum { OUT_OF_MEMORY = -1, DAMAGED = -2, OUT_OF_RANGE = -3 };

/* What the encoder chooses from, and what it writes down; none of it for the decoder. */
typedef struct {
    const float *rest;
    const float *lambda;
    uint8_t *tables;
    int8_t *less;
    double *cost;
} Choice;

INLINE int is_symbol(int32_t value)
{
    return value >= -MAX_SYMBOL && value <= MAX_SYMBOL;
}

/* A symbol less its mean: one step nearer to the mean where that lowers
 * D + lambda R (rate-distortion optimised quantisation, RDOQ). */
INLINE int32_t choose(
    const float *bits, int32_t value, float rest, float lambda, int32_t table, int32_t mean,
    float *spent)
{
    int32_t away = value - mean;
    away = away > MAX_SYMBOL ? MAX_SYMBOL : away < -MAX_SYMBOL ? -MAX_SYMBOL : away;
    const float *costs = bits + (size_t)table * SYMBOLS + MAX_SYMBOL;
    if (!table)
        away = 0;
    *spent = costs[away];
    if (away) {
        int32_t nearer = away > 0 ? away - 1 : away + 1;
        float harm = 1.0f + 2.0f * (away > 0 ? rest : -rest);
        if (harm < lambda * (costs[away] - costs[nearer])) {
            away = nearer;
            *spent = costs[away];
        }
    }
    return away;
}

/* Whether a position is coded: read, or as the encoder chose. */
INLINE int32_t walk_map(
    const Network *net, const Choice *choice, Reader *reader, uint8_t *coded, int32_t rank,
    int32_t table)
{
    if (reader) {
        int32_t found = get(reader, net->bank, table);
        if (reader->damaged || found < 0 || found > 1)
            return DAMAGED;
        coded[rank] = (uint8_t)found;
        return 0;
    }
    size_t at = (size_t)rank * (size_t)net->channels;
    choice->tables[at] = (uint8_t)table;
    choice->less[at] = (int8_t)coded[rank];
    choice->cost[rank] += (double)net->bank->bits[table * SYMBOLS + MAX_SYMBOL + coded[rank]];
    return 0;
}

/* A symbol: read, or chosen. */
INLINE int32_t walk_symbol(
    const Network *net, const Choice *choice, Reader *reader, int32_t *values, int32_t rank,
    int32_t channel, int32_t table, int32_t mean)
{
    int32_t at = rank * (net->channels - net->has_map) + channel - net->has_map;
    if (reader) {
        int32_t less = table ? get(reader, net->bank, table) : 0;
        if (reader->damaged)
            return DAMAGED;
        values[at] = table ? less + mean : 0;
        return is_symbol(less) && is_symbol(values[at]) ? 0 : OUT_OF_RANGE;
    }
    float spent;
    int32_t away = choose(
        net->bank->bits, values[at], choice->rest[at], choice->lambda[rank], table, mean, &spent);
    choice->tables[rank * net->channels + channel] = (uint8_t)table;
    choice->less[rank * net->channels + channel] = (int8_t)away;
    choice->cost[rank] += (double)spent;
    values[at] = away + mean;
    return 0;
}

/* Group by group, in each the even positions of the checkerboard, then the odd ones. */
INLINE int32_t walk_steps(
    Walk *walk, const Network *net, const Positions *where, const Choice *choice, Reader *reader,
    uint8_t *coded, int32_t *values)
{
    int16_t hidden[MAX_HIDDEN];
    int32_t status = 0, symbols = net->channels - net->has_map;
    for (int32_t group = 0; group < net->groups; group++) {
        if (net->has_map && group == 1) {
            for (int32_t rank = 0; rank < where->positions; rank++)
                for (int32_t channel = 0; !coded[rank] && channel < symbols; channel++)
                    known_put(&walk->known, rank, channel + 1, values[rank * symbols + channel]);
            commit(&walk->known, 0, where->positions);
        }
        for (int32_t phase = 0; phase < PHASES; phase++) {
            int32_t begin = phase ? where->split : 0;
            int32_t end = phase ? where->positions : where->split;
            for (int32_t rank = begin; rank < end; rank++) {
                if (net->has_map && (!where->shares[rank] || (group && !coded[rank])))
                    continue;
                enter(hidden, walk, net, where, group * PHASES + phase, rank);
                if (net->has_map && !group) {
                    int32_t table = expect_map(net, hidden, phase);
                    status = walk_map(net, choice, reader, coded, rank, table);
                    if (status)
                        return status;
                    known_put(&walk->known, rank, 0, coded[rank]);
                    continue;
                }
                for (int32_t channel = net->starts[group]; channel < net->starts[group + 1];
                     channel++) {
                    int32_t mean, table = expect(net, hidden, channel, phase, &mean);
                    status = walk_symbol(
                        net, choice, reader, values, rank, channel, table, mean);
                    if (status)
                        return status;
                    known_put(
                        &walk->known, rank, channel,
                        values[rank * symbols + channel - net->has_map]);
                }
            }
            commit(&walk->known, begin, end);
        }
    }
    return status;
}

/* Choose the symbols of a frame and tell what they cost.
 *
 * P positions by rank, n channels (the map not among them).
 * coded (P): of a predicted frame, which positions are coded; else NULL.
 * values (P, n): rounded symbols where coded, elsewhere the reference's; become those sent.
 * rest (P, n), lambda (P): what rounding took off, and the RDOQ lambda.
 * tables, less (P, n + has_map): by symbol, its table, 0 where none is coded, and what is coded.
 * cost (P): bits. */
EXPORT int32_t sc2_walk_encode(
    const Network *net, const Positions *where, uint8_t *coded, int32_t *values,
    const float *rest, const float *lambda, uint8_t *tables, int8_t *less, double *cost)
{
    Walk walk;
    Choice choice = {rest, lambda, tables, less, cost};
    size_t symbols = (size_t)where->positions * (size_t)net->channels;
    if (!walk_make(&walk, net, where))
        return OUT_OF_MEMORY;
    memset(tables, 0, symbols);
    memset(less, 0, symbols);
    memset(cost, 0, (size_t)where->positions * sizeof(double));
    int32_t status = walk_steps(&walk, net, where, &choice, NULL, coded, values);
    walk_free(&walk);
    return status;
}

/* Decode a slice; the inverse of the walk above and of sc2_rans_encode_slice.
 *
 * coded (P): of a predicted slice, zeros; becomes which positions are coded. Else NULL.
 * values (P, n): of a predicted slice, what the reference says; become the symbols. */
EXPORT int32_t sc2_walk_decode(
    const Network *net, const Positions *where, const uint8_t *data, int32_t size,
    uint8_t *coded, int32_t *values)
{
    Walk walk;
    Reader reader;
    if (!walk_make(&walk, net, where))
        return OUT_OF_MEMORY;
    reader_start(&reader, data, size);
    int32_t status = walk_steps(&walk, net, where, NULL, &reader, coded, values);
    if (!status && !reader_is_done(&reader))
        status = DAMAGED;
    walk_free(&walk);
    return status;
}

/* The rANS bytes of a slice: step by step, in each the positions, of each the channels.
 *
 * bounds (4): first rank and the one after the last, in phase 0 and in phase 1.
 * out (room): 2 words for each symbol and 2 more; the last are written. Returns how many bytes. */
EXPORT int32_t sc2_rans_encode_slice(
    const Network *net, const int32_t *bounds, const uint8_t *tables, const int8_t *less,
    uint32_t *out, int32_t room)
{
    uint64_t state = RANS_LOW;
    uint32_t *at = out + room;
    int any = 0;
    for (int32_t group = net->groups - 1; group >= 0; group--)
        for (int32_t phase = PHASES - 1; phase >= 0; phase--)
            for (int32_t rank = bounds[2 * phase + 1] - 1; rank >= bounds[2 * phase]; rank--)
                for (int32_t channel = net->starts[group + 1] - 1; channel >= net->starts[group];
                     channel--) {
                    size_t symbol = (size_t)rank * (size_t)net->channels + (size_t)channel;
                    if (tables[symbol]) {
                        state = put_symbol(state, &at, net->bank, tables[symbol], less[symbol]);
                        any = 1;
                    }
                }
    return any ? flush(state, at, out + room) : 0;
}

/* The rANS bytes of count symbols, each with its table, none of them 0. */
EXPORT int32_t sc2_rans_encode(
    const Bank *bank, const uint8_t *tables, const int8_t *symbols, int32_t count, uint32_t *out,
    int32_t room)
{
    uint64_t state = RANS_LOW;
    uint32_t *at = out + room;
    for (int32_t i = count - 1; i >= 0; i--)
        state = put_symbol(state, &at, bank, tables[i], symbols[i]);
    return count ? flush(state, at, out + room) : 0;
}

EXPORT void sc2_rans_open(Reader *reader, const uint8_t *data, int32_t size)
{
    reader_start(reader, data, size);
}

/* The next count symbols. */
EXPORT int32_t sc2_rans_decode(
    Reader *reader, const Bank *bank, const uint8_t *tables, int32_t count, int8_t *symbols)
{
    for (int32_t i = 0; i < count; i++) {
        int32_t symbol = get(reader, bank, tables[i]);
        if (reader->damaged)
            return DAMAGED;
        if (!is_symbol(symbol))
            return OUT_OF_RANGE;
        symbols[i] = (int8_t)symbol;
    }
    return 0;
}

/* Whether all was read. */
EXPORT int32_t sc2_rans_close(const Reader *reader)
{
    return reader_is_done(reader) ? 0 : DAMAGED;
}

/* Changes with every change of a structure or an argument. */
EXPORT int32_t sc2_kernel_version(void)
{
    return 4;
}
