/* SPDX-License-Identifier: Apache-2.0
 *
 * The two loops over every call of a load. Each has a twin in NumPy, which is its oracle in the tests and its stand-in
 * where no compiler was at hand: `standards.bcf.as_calls` and `collection.classify`; what they mean is said there.
 */

#include <stdint.h>
#include <string.h>

/* Compiled also for processors of the last ten years, and chosen when the library is loaded: half the time. */
#if defined(__x86_64__) && defined(__gnu_linux__)
#define FAST __attribute__((target_clones("avx2", "default")))
#else
#define FAST
#endif

/* Raised with every change that a caller notices, and VERSION in __init__.py with it. */
int native_version(void)
{
    return 2;
}

enum { ABSENT = -2 };
enum { HET, HOM, HEMI, HALF, MISSING, STREAMS };
enum { HAPLOID_HOMOZYGOUS, HAPLOID_HETEROZYGOUS, UNEXPECTED };

/* Called alleles from BCF's 8-bit integers. Record r's `values` integers begin at raw + at[r]; its called alleles go to
 * calls + r * values, and the highest of them to highest[r]. */
FAST void decode_calls(const int8_t *raw, const int64_t *at, int64_t records, int64_t values, int8_t *calls, int8_t *highest)
{
    for (int64_t r = 0; r < records; r++) {
        const int8_t *from = raw + at[r];
        int8_t *to = calls + r * values;
        int8_t most = ABSENT;
        for (int64_t i = 0; i < values; i++) {
            int8_t allele = (int8_t)((from[i] >> 1) - 1);
            allele = allele < ABSENT ? ABSENT : allele;
            most = allele > most ? allele : most;
            to[i] = allele;
        }
        highest[r] = most;
    }
}

typedef struct {
    int32_t *row;
    int32_t *column;
    int64_t size;
} Entries;

/* Without a branch on `whether`: which of two alleles is the alternate is as good as random. There is always room. */
static inline void put_if(Entries *to, int whether, int32_t row, int32_t column)
{
    to->row[to->size] = row;
    to->column[to->size] = column;
    to->size += whether;
}

static inline void put(Entries *to, int32_t row, int32_t column)
{
    put_if(to, 1, row, column);
}

static inline void put_each(Entries *to, int32_t row, int32_t end, int32_t column)
{
    for (; row < end; row++)
        put(to, row, column);
}

/* A call other than 0/0; `row` is of the record's first alternate, `end` is after its last's. */
static inline void classify(Entries *to, int64_t *odd, int expected, int first, int second, int32_t row, int32_t end,
                            int32_t column)
{
    int32_t before = row - 1; /* the row of allele k is before + k */
    if (expected == 2) {
        if (first >= 0 && second >= 0) {
            if (first == second) {
                put(&to[HOM], before + first, column);
                return;
            }
            put_if(&to[HET], first > 0, before + first, column);
            put_if(&to[HET], second > 0, before + second, column);
        } else if (first < 0 && second < 0) {
            put_each(&to[MISSING], row, end, column);
        } else {
            int only = first > second ? first : second;
            if (only > 0)
                put(&to[HEMI], before + only, column);
            put_each(&to[HALF], row, end, column);
        }
    } else if (expected == 1) {
        int alone = second == ABSENT || first == second;
        if (alone && first > 0)
            put(&to[HEMI], before + first, column);
        if (!(alone && first >= 0))
            put_each(&to[MISSING], row, end, column);
        odd[HAPLOID_HOMOZYGOUS] += first == second && first > 0;
        odd[HAPLOID_HETEROZYGOUS] += first >= 0 && second >= 0 && first != second;
    } else {
        odd[UNEXPECTED] += first > 0 || second > 0;
    }
}

enum { AT_ONCE = 32 };

/* Which of up to AT_ONCE calls are not 0/0, as bits. Most often none is, and that is told eight bytes at a time. */
static inline uint32_t not_reference(const int8_t *call, int64_t calls)
{
    uint32_t others = 0;
    if (calls == AT_ONCE) {
        uint64_t words[2 * AT_ONCE / 8], any = 0;
        memcpy(words, call, sizeof words);
        for (int w = 0; w < 2 * AT_ONCE / 8; w++)
            any |= words[w];
        if (!any)
            return 0;
    }
    for (int i = 0; i < calls; i++)
        others |= (uint32_t)((call[2 * i] | call[2 * i + 1]) != 0) << i;
    return others;
}

/* The entries of records from..records - 1, as far as every stream has room for all that a record could bring; how far
 * that was. A sample brings a stream at most an entry for each of the record's rows, or two where it has one, and room for
 * one more is needed to write what is then not kept.
 *
 *   calls      [records][samples][2]
 *   first_row  [records + 1]
 *   expected   [classes][samples], the ploidy expected of each sample; class_of [records]
 *   rows, columns, sizes   [STREAMS]: where entries go and how many there are
 */
FAST int64_t collect_entries(const int8_t *calls, int64_t from, int64_t records, int64_t samples, const int32_t *first_row,
                        const int8_t *expected, const int8_t *class_of, int32_t **rows, int32_t **columns,
                        int64_t *sizes, int64_t room, int64_t *odd)
{
    Entries to[STREAMS];
    for (int s = 0; s < STREAMS; s++)
        to[s] = (Entries){rows[s], columns[s], sizes[s]};
    int64_t r = from;
    for (; r < records; r++) {
        int32_t row = first_row[r], end = first_row[r + 1];
        int64_t most = samples * (end - row > 2 ? end - row : 2) + 1;
        int fits = 1;
        for (int s = 0; s < STREAMS; s++)
            fits &= to[s].size + most <= room;
        if (!fits)
            break;
        const int8_t *call = calls + r * samples * 2;
        const int8_t *ploidy = expected + class_of[r] * samples;
        for (int64_t i = 0; i < samples; i += AT_ONCE) {
            int64_t left = samples - i < AT_ONCE ? samples - i : AT_ONCE;
            for (uint32_t others = not_reference(call + 2 * i, left); others; others &= others - 1) {
                int64_t column = i + __builtin_ctz(others);
                classify(to, odd, ploidy[column], call[2 * column], call[2 * column + 1], row, end, (int32_t)column);
            }
        }
    }
    for (int s = 0; s < STREAMS; s++)
        sizes[s] = to[s].size;
    return r;
}
