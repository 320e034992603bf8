/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums over the members of stored sets: the loops of scans. `collection.set_sums` says what they mean and has their
 * twins in NumPy.
 *
 * A set is either 16-bit numbers or a plane of 65,536 bits, told apart by its length. A table has 65,536 rows, so that
 * whatever bytes a set holds, its members have a row. Each function returns how many sets it did: fewer than there are
 * where the next one does not lie within `stored` or has a length that no set has.
 *
 * Planes are read a byte at a time, many of them side by side, after the Method of Four Russians (Arlazarov, Dinic,
 * Kronrod, Faradzhev 1970): for eight people there are 256 sums, which are added up once and looked up for each plane;
 * the other way, each plane's row is added to one of 256 sums, which are dealt out to the eight people once.
 */

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__gnu_linux__)
#define FAST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FAST
#endif

enum {
    BATCH = 65536,
    PLANE_BYTES = BATCH / 8,
    WORDS = BATCH / 64,
    STRIDE = 8,         /* columns that are taken at once */
    LINE = 64,          /* bytes of a plane that are read at once: what a processor's cache does */
    BYTES = 8,          /* of these, how many have tables at once: 128 KiB, which stay in the cache */
    MOST_PLANES = 1024, /* side by side */
};

typedef double Eight __attribute__((vector_size(64), aligned(8), may_alias));
typedef Eight Tables[BYTES][256] __attribute__((aligned(64)));

/* One line of many planes. */
typedef uint8_t Lines[MOST_PLANES][LINE] __attribute__((aligned(64)));

static inline int is_sound(int64_t size, int64_t begin, int64_t end)
{
    return begin >= 0 && begin <= end && end <= size && end - begin <= PLANE_BYTES && (end - begin) % 2 == 0;
}

static inline Eight *eight(const double *columns)
{
    return (Eight *)columns;
}

/* The members of a sound set to `members`, which has room for BATCH; how many. */
static inline int64_t members_of(const uint8_t *set, int64_t length, uint16_t *members)
{
    if (length < PLANE_BYTES) {
        memcpy(members, set, (size_t)length); /* packs are aligned, but nothing here should depend on it */
        return length / 2;
    }
    int64_t number = 0;
    for (int w = 0; w < WORDS; w++) {
        uint64_t word;
        memcpy(&word, set + 8 * w, 8);
        for (; word; word &= word - 1)
            members[number++] = (uint16_t)(64 * w + __builtin_ctzll(word));
    }
    return number;
}

/* into[k] += sum of table[members of set k]; into [sets][stride], table [BATCH][stride]. */
FAST int64_t set_sums(const uint8_t *stored, int64_t size, const int64_t *begin, const int64_t *end, int64_t sets,
                      double *into, const double *table, int64_t stride, int64_t people)
{
    (void)people;
    uint16_t member[BATCH];
    for (int64_t k = 0; k < sets; k++) {
        if (!is_sound(size, begin[k], end[k]))
            return k;
        int64_t members = members_of(stored + begin[k], end[k] - begin[k], member);
        for (int64_t column = 0; column < stride; column += STRIDE) {
            Eight a = {0}, b = {0}, c = {0}, d = {0}; /* sums that do not wait for each other */
            int64_t i = 0;
            for (; i + 4 <= members; i += 4) {
                a += *eight(table + member[i] * stride + column);
                b += *eight(table + member[i + 1] * stride + column);
                c += *eight(table + member[i + 2] * stride + column);
                d += *eight(table + member[i + 3] * stride + column);
            }
            for (; i < members; i++)
                a += *eight(table + member[i] * stride + column);
            *eight(into + k * stride + column) += (a + b) + (c + d);
        }
    }
    return sets;
}

/* table[members of set k] += rows[k]. */
FAST int64_t add_to_members(const uint8_t *stored, int64_t size, const int64_t *begin, const int64_t *end, int64_t sets,
                            const double *rows, double *table, int64_t stride, int64_t people)
{
    (void)people;
    uint16_t member[BATCH];
    for (int64_t k = 0; k < sets; k++) {
        if (!is_sound(size, begin[k], end[k]))
            return k;
        int64_t members = members_of(stored + begin[k], end[k] - begin[k], member);
        for (int64_t column = 0; column < stride; column += STRIDE) {
            Eight added = *eight(rows + k * stride + column);
            for (int64_t i = 0; i < members; i++)
                *eight(table + member[i] * stride + column) += added;
        }
    }
    return sets;
}

/* For people from `first` on, eight for each byte: the sums of eight columns over every set of them. */
static inline void fill(Tables tables, const double *table, int64_t stride, int64_t first)
{
    for (int64_t b = 0; b < BYTES; b++) {
        tables[b][0] = (Eight){0};
        for (int v = 1; v < 256; v++)
            tables[b][v] = tables[b][v & (v - 1)] + *eight(table + (first + 8 * b + __builtin_ctz(v)) * stride);
    }
}

/* What `fill` is the transposed of: to each of these people the sum over all sets that they are in. */
static inline void deal_out(Tables tables, double *table, int64_t stride, int64_t first)
{
    for (int64_t b = 0; b < BYTES; b++)
        for (int person = 7; person >= 0; person--) {
            Eight sum = {0};
            for (int v = 1 << person; v < 2 << person; v++) {
                sum += tables[b][v];
                tables[b][v - (1 << person)] += tables[b][v];
            }
            *eight(table + (first + 8 * b + person) * stride) += sum;
        }
}

static inline void gather(Lines lines, const uint8_t *stored, const int64_t *begin, int64_t planes, int64_t line)
{
    for (int64_t k = 0; k < planes; k++)
        memcpy(lines[k], stored + begin[k] + line, LINE);
}

/* For each plane the sum over its 8 * BYTES people from 8 * byte on. */
static inline void look_up(Lines lines, int64_t planes, int64_t byte, Tables tables, int64_t stride, double *into)
{
    for (int64_t k = 0; k < planes; k++) {
        const uint8_t *bytes = lines[k] + byte % LINE;
        Eight a = {0}, b = {0}, c = {0}, d = {0};
        for (int i = 0; i < BYTES; i += 4) {
            a += tables[i][bytes[i]];
            b += tables[i + 1][bytes[i + 1]];
            c += tables[i + 2][bytes[i + 2]];
            d += tables[i + 3][bytes[i + 3]];
        }
        *eight(into + k * stride) += (a + b) + (c + d);
    }
}

static inline void collect(Lines lines, int64_t planes, int64_t byte, const double *rows, int64_t stride, Tables tables)
{
    memset(tables, 0, sizeof(Tables));
    for (int64_t k = 0; k < planes; k++) {
        const uint8_t *bytes = lines[k] + byte % LINE;
        Eight row = *eight(rows + k * stride);
        for (int i = 0; i < BYTES; i++)
            tables[i][bytes[i]] += row;
    }
}

/* As `set_sums`, of sets all of which are planes. Rows of the table from `people` on are zero. */
FAST int64_t plane_sums(const uint8_t *stored, int64_t size, const int64_t *begin, const int64_t *end, int64_t planes,
                        double *into, const double *table, int64_t stride, int64_t people)
{
    Tables tables;
    Lines lines;
    for (int64_t k = 0; k < planes; k++)
        if (!is_sound(size, begin[k], end[k]) || end[k] - begin[k] != PLANE_BYTES)
            return k;
    for (int64_t k = 0; k < planes; k += MOST_PLANES) {
        int64_t some = planes - k < MOST_PLANES ? planes - k : MOST_PLANES;
        for (int64_t byte = 0; byte < PLANE_BYTES && 8 * byte < people; byte += BYTES) {
            if (byte % LINE == 0)
                gather(lines, stored, begin + k, some, byte);
            for (int64_t column = 0; column < stride; column += STRIDE) {
                fill(tables, table + column, stride, 8 * byte);
                look_up(lines, some, byte, tables, stride, into + k * stride + column);
            }
        }
    }
    return planes;
}

/* As `add_to_members`, of sets all of which are planes. Rows of the table from `people` on are looked at by nobody. */
FAST int64_t add_to_plane_members(const uint8_t *stored, int64_t size, const int64_t *begin, const int64_t *end,
                                  int64_t planes, const double *rows, double *table, int64_t stride, int64_t people)
{
    Tables tables;
    Lines lines;
    for (int64_t k = 0; k < planes; k++)
        if (!is_sound(size, begin[k], end[k]) || end[k] - begin[k] != PLANE_BYTES)
            return k;
    for (int64_t k = 0; k < planes; k += MOST_PLANES) {
        int64_t some = planes - k < MOST_PLANES ? planes - k : MOST_PLANES;
        for (int64_t byte = 0; byte < PLANE_BYTES && 8 * byte < people; byte += BYTES) {
            if (byte % LINE == 0)
                gather(lines, stored, begin + k, some, byte);
            for (int64_t column = 0; column < stride; column += STRIDE) {
                collect(lines, some, byte, rows + k * stride + column, stride, tables);
                deal_out(tables, table + column, stride, 8 * byte);
            }
        }
    }
    return planes;
}

/* counted[k] = members of set k that are also in a plane. */
FAST int64_t count_within(const uint8_t *stored, int64_t size, const int64_t *begin, const int64_t *end, int64_t sets,
                          const uint8_t *plane, int64_t *counted)
{
    for (int64_t k = 0; k < sets; k++) {
        if (!is_sound(size, begin[k], end[k]))
            return k;
        const uint8_t *set = stored + begin[k];
        int64_t number = 0;
        if (end[k] - begin[k] == PLANE_BYTES) {
            for (int w = 0; w < WORDS; w++) {
                uint64_t mine, theirs;
                memcpy(&mine, set + 8 * w, 8);
                memcpy(&theirs, plane + 8 * w, 8);
                number += __builtin_popcountll(mine & theirs);
            }
        } else {
            for (int64_t i = 0; i < (end[k] - begin[k]) / 2; i++) {
                uint16_t member;
                memcpy(&member, set + 2 * i, 2);
                number += plane[member >> 3] >> (member & 7) & 1;
            }
        }
        counted[k] = number;
    }
    return sets;
}
