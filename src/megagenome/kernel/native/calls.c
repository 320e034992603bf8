/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops over every call of a load. Each has a twin in NumPy, which is its oracle in the tests and its stand-in where
 * no compiler was at hand: `standards.bcf.as_calls` and `collection.classify`; what they mean is said there.
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
    return 5;
}

enum { ABSENT = -2 };
enum { HET, HOM, HEMI, HALF, MISSING, STREAMS, NOWHERE = STREAMS };
enum { HAPLOID_HOMOZYGOUS, HAPLOID_HETEROZYGOUS, UNEXPECTED, ODDITIES };
enum { PLANE_BYTES = 8192, SPARSE_LIMIT = PLANE_BYTES / 2, CELL = 5 }; /* as in `collection.bitmap` and `.counts` */

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

/* Where people and counts of rows are collected; `Collecting` in __init__.py is the same. */
typedef struct {
    int64_t samples, batches, strata;
    const int64_t *end;      /* [batches], the sample after each batch's last */
    const uint16_t *member;  /* [samples], the person's number within their batch */
    const int32_t *stratum;  /* [samples], `strata` for those who are not counted */
    const int8_t *expected;  /* [classes][samples], the ploidy expected of each sample */
    const int8_t *copies;    /* [classes][strata], the same of each stratum */
    int32_t *counts;         /* [strata + 1][STREAMS + 1], zero between rows */
    uint16_t *const *people; /* [batches][STREAMS], where stored people go */
    const int64_t *room;     /* [batches][STREAMS], how many numbers there is room for */
    int64_t *used;           /* [batches][STREAMS], and how many there are */
    int32_t *cells;          /* [..][CELL]: stratum, het, hom, hemi, called alleles less those if all had been called */
    int64_t cells_room, cells_used;
    int64_t odd[ODDITIES];
} Collecting;

/* Of one row: its allele, and where its people go. */
typedef struct {
    uint16_t *to[STREAMS + 1]; /* the last for those who are in no stream: so that putting needs no branch */
    int32_t *counts;
    int allele;
} Row;

static inline void put(Row *row, int stream, uint16_t member, int32_t stratum)
{
    *row->to[stream] = member;
    row->to[stream] += stream != NOWHERE;
    row->counts[stratum * (STREAMS + 1) + stream]++;
}

/* What an allele of a call is to a row: another one, its own, or not called. */
static inline int kind(int allele, int own)
{
    return allele < 0 ? 2 : allele == own;
}

static const uint8_t DIPLOID[3][3] = {{NOWHERE, HET, HALF}, {HET, HOM, HALF}, {HALF, HALF, MISSING}};

/* A call other than 0/0. */
static inline void classify(Row *row, int64_t *odd, int expected, int first, int second, uint16_t member, int32_t stratum)
{
    if (expected == 2) {
        int one = kind(first, row->allele), other = kind(second, row->allele);
        int stream = DIPLOID[one][other];
        put(row, stream, member, stratum);
        if (stream == HALF && (one == 1 || other == 1))
            put(row, HEMI, member, stratum);
    } else if (expected == 1) {
        int alone = second == ABSENT || first == second;
        if (alone && first == row->allele)
            put(row, HEMI, member, stratum);
        if (!(alone && first >= 0))
            put(row, MISSING, member, stratum);
        odd[HAPLOID_HOMOZYGOUS] += first == second && first > 0;
        odd[HAPLOID_HETEROZYGOUS] += first >= 0 && second >= 0 && first != second;
    } else {
        odd[UNEXPECTED] += first > 0 || second > 0;
    }
}

enum { AT_ONCE = 32 };

static inline uint64_t eight_bytes(const int8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Whether any of AT_ONCE calls is not 0/0. */
static inline int any_other(const int8_t *call)
{
    return ((eight_bytes(call) | eight_bytes(call + 8)) | (eight_bytes(call + 16) | eight_bytes(call + 24)) |
            ((eight_bytes(call + 32) | eight_bytes(call + 40)) | (eight_bytes(call + 48) | eight_bytes(call + 56)))) != 0;
}

/* Which of up to AT_ONCE calls are not 0/0, as bits. */
static inline uint32_t not_reference(const int8_t *call, int64_t calls)
{
    uint32_t others = 0;
    if (calls == AT_ONCE) {
        if (!any_other(call))
            return 0;
        uint8_t is_other[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++)
            is_other[i] = (call[2 * i] | call[2 * i + 1]) != 0;
        for (int i = 0; i < AT_ONCE; i += 8) { /* bytes of 0 or 1 to bits: byte k is multiplied to bit 56 + k */
            uint64_t eight;
            memcpy(&eight, is_other + i, sizeof eight);
            others |= (uint32_t)(eight * 0x0102040810204080u >> 56) << i;
        }
        return others;
    }
    for (int i = 0; i < calls; i++)
        others |= (uint32_t)((call[2 * i] | call[2 * i + 1]) != 0) << i;
    return others;
}

/* People of one batch as they are stored: increasing numbers, or from SPARSE_LIMIT people on a plane of bits. In place;
 * how many numbers that takes. */
static int64_t store(uint16_t *people, int64_t size)
{
    if (size < SPARSE_LIMIT)
        return size;
    uint8_t plane[PLANE_BYTES] = {0};
    for (int64_t i = 0; i < size; i++)
        plane[people[i] >> 3] |= (uint8_t)(1 << (people[i] & 7));
    memcpy(people, plane, PLANE_BYTES);
    return PLANE_BYTES / 2;
}

/* The counts of a row as cells, one for each stratum in which something differs from all called and all reference; how
 * many. Leaves the counts zero. */
static int32_t count_cells(Collecting *c, const int8_t *copies)
{
    int32_t *begin = c->cells + c->cells_used * CELL, *cell = begin;
    for (int64_t s = 0; s < c->strata; s++) {
        const int32_t *n = c->counts + s * (STREAMS + 1);
        int32_t found[CELL] = {(int32_t)s, n[HET], n[HOM], n[HEMI], -n[MISSING] * copies[s] - n[HALF]};
        if (found[1] | found[2] | found[3] | found[4]) {
            memcpy(cell, found, sizeof found);
            cell += CELL;
        }
    }
    memset(c->counts, 0, (size_t)((c->strata + 1) * (STREAMS + 1)) * sizeof *c->counts);
    c->cells_used += (cell - begin) / CELL;
    return (int32_t)((cell - begin) / CELL);
}

static int has_room(const Collecting *c)
{
    int64_t begin = 0;
    for (int64_t b = 0; b < c->batches; begin = c->end[b++])
        for (int s = 0; s < STREAMS; s++)
            if (c->used[b * STREAMS + s] + c->end[b] - begin > c->room[b * STREAMS + s])
                return 0;
    return c->cells_used + c->strata <= c->cells_room;
}

/* The people and counts of rows from..rows - 1, as far as there is room for all that a row could bring (every sample in
 * each stream, every stratum a cell); how far that was.
 *
 *   calls            [records][samples][2]
 *   record, allele   [rows]: the record and the number of the allele that a row is of; a record's rows in order
 *   class_of         [records]
 *   sizes            [batches][STREAMS][rows], how many people each row has; cells [rows], and how many cells
 */
FAST int64_t collect_rows(Collecting *c, const int8_t *calls, const int32_t *record, const int32_t *allele,
                          const int8_t *class_of, int64_t from, int64_t rows, int32_t *sizes, int32_t *cells)
{
    for (; from < rows && has_room(c); from++) {
        const int8_t *call = calls + record[from] * c->samples * 2;
        const int8_t *expected = c->expected + class_of[record[from]] * c->samples;
        int64_t odd[ODDITIES] = {0}, column = 0;
        for (int64_t b = 0; b < c->batches; b++) {
            uint16_t nobody, *begin[STREAMS];
            Row row = {.counts = c->counts, .allele = allele[from]};
            for (int s = 0; s < STREAMS; s++)
                row.to[s] = begin[s] = c->people[b * STREAMS + s] + c->used[b * STREAMS + s];
            row.to[NOWHERE] = &nobody;
            for (; column < c->end[b]; column += AT_ONCE) {
                int64_t left = c->end[b] - column < AT_ONCE ? c->end[b] - column : AT_ONCE;
                for (uint32_t others = not_reference(call + 2 * column, left); others; others &= others - 1) {
                    int64_t i = column + __builtin_ctz(others);
                    classify(&row, odd, expected[i], call[2 * i], call[2 * i + 1], c->member[i], c->stratum[i]);
                }
            }
            column = c->end[b];
            for (int s = 0; s < STREAMS; s++) {
                int64_t size = row.to[s] - begin[s], k = b * STREAMS + s;
                sizes[k * rows + from] = (int32_t)size;
                c->used[k] += store(begin[s], size);
            }
        }
        cells[from] = count_cells(c, c->copies + class_of[record[from]] * c->strata);
        for (int k = 0; k < ODDITIES; k++)
            c->odd[k] += allele[from] == 1 ? odd[k] : 0; /* a record's calls are met once for each of its rows */
    }
    return from;
}
