/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums over the members of stored sets: the loops of scans. `collection.set_sums` says what they mean and has their
 * twins in NumPy.
 *
 * A set is either 16-bit numbers or a plane of 65,536 bits, told apart by its length. A table has 65,536 rows, so that
 * whatever bytes a set holds, its members have a row. Each function returns how many sets it did: fewer than there are
 * where the next one does not lie within `stored` or has a length that no set has.
 */

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__gnu_linux__)
#define FAST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FAST
#endif

enum { BATCH = 65536, PLANE_BYTES = BATCH / 8, WORDS = BATCH / 64, STRIDE = 4 };

typedef double Four __attribute__((vector_size(32), aligned(8), may_alias));
typedef double Eight __attribute__((vector_size(64), aligned(8), may_alias));

static inline int is_sound(int64_t size, int64_t begin, int64_t end)
{
    return begin >= 0 && begin <= end && end <= size && end - begin <= PLANE_BYTES && (end - begin) % 2 == 0;
}

/* The members of a plane to `members`, which has room for BATCH; how many. */
static inline int64_t members_of_plane(const uint8_t *plane, uint16_t *members)
{
    int64_t number = 0;
    for (int w = 0; w < WORDS; w++) {
        uint64_t word;
        memcpy(&word, plane + 8 * w, 8);
        for (; word; word &= word - 1)
            members[number++] = (uint16_t)(64 * w + __builtin_ctzll(word));
    }
    return number;
}

/* The members of a sound set to `members`; how many. */
static inline int64_t members_of(const uint8_t *set, int64_t length, uint16_t *members)
{
    if (length == PLANE_BYTES)
        return members_of_plane(set, members);
    memcpy(members, set, (size_t)length); /* packs are aligned, but nothing here should depend on it */
    return length / 2;
}

/* The sum of eight columns, by four sums that do not wait for each other. */
static inline void add_eight(const uint16_t *member, int64_t members, const double *column, int64_t stride, double weight,
                             Eight *sum)
{
    Eight a = {0}, b = {0}, c = {0}, d = {0};
    int64_t i = 0;
    for (; i + 4 <= members; i += 4) {
        a += *(const Eight *)(column + member[i] * stride);
        b += *(const Eight *)(column + member[i + 1] * stride);
        c += *(const Eight *)(column + member[i + 2] * stride);
        d += *(const Eight *)(column + member[i + 3] * stride);
    }
    for (; i < members; i++)
        a += *(const Eight *)(column + member[i] * stride);
    *sum += weight * ((a + b) + (c + d));
}

static inline void add_four(const uint16_t *member, int64_t members, const double *column, int64_t stride, double weight,
                            Four *sum)
{
    Four a = {0}, b = {0}, c = {0}, d = {0};
    int64_t i = 0;
    for (; i + 4 <= members; i += 4) {
        a += *(const Four *)(column + member[i] * stride);
        b += *(const Four *)(column + member[i + 1] * stride);
        c += *(const Four *)(column + member[i + 2] * stride);
        d += *(const Four *)(column + member[i + 3] * stride);
    }
    for (; i < members; i++)
        a += *(const Four *)(column + member[i] * stride);
    *sum += weight * ((a + b) + (c + d));
}

/* into[k] += weight * sum of table[members of set k]; table [BATCH][stride], into [sets][stride]; stride a multiple of 4. */
FAST int64_t add_sums(const uint8_t *stored, int64_t size, const int64_t *begin, const int64_t *end, int64_t sets,
                      const double *table, int64_t stride, double weight, double *into)
{
    uint16_t members[BATCH];
    for (int64_t k = 0; k < sets; k++) {
        if (!is_sound(size, begin[k], end[k]))
            return k;
        int64_t number = members_of(stored + begin[k], end[k] - begin[k], members);
        double *sum = into + k * stride;
        int64_t column = 0;
        for (; column + 8 <= stride; column += 8)
            add_eight(members, number, table + column, stride, weight, (Eight *)(sum + column));
        if (column < stride)
            add_four(members, number, table + column, stride, weight, (Four *)(sum + column));
    }
    return sets;
}

/* table[members of set k] += weight * rows[k]; rows [sets][stride]. */
FAST int64_t add_to_members(const uint8_t *stored, int64_t size, const int64_t *begin, const int64_t *end, int64_t sets,
                            const double *rows, int64_t stride, double weight, double *table)
{
    uint16_t members[BATCH];
    for (int64_t k = 0; k < sets; k++) {
        if (!is_sound(size, begin[k], end[k]))
            return k;
        int64_t number = members_of(stored + begin[k], end[k] - begin[k], members);
        const double *row = rows + k * stride;
        int64_t column = 0;
        for (; column + 8 <= stride; column += 8) {
            Eight added = weight * *(const Eight *)(row + column);
            for (int64_t i = 0; i < number; i++)
                *(Eight *)(table + members[i] * stride + column) += added;
        }
        if (column < stride) {
            Four added = weight * *(const Four *)(row + column);
            for (int64_t i = 0; i < number; i++)
                *(Four *)(table + members[i] * stride + column) += added;
        }
    }
    return sets;
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
