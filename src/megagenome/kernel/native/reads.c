/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking over BAM's records, and holding an index against them. The twins in Python, which are the oracles in the
 * tests, are `standards.bam.walk_slowly` and `standards.index_check.IndexCheck.hidden_slowly`.
 */

#include <stdint.h>

enum { FIXED = 32, LONGEST = 1 << 28 };
enum { OK, BAD, UNSORTED, FULL };
enum { REFERENCE, FIRST, LAST, BEGIN, END, RUN }; /* of a run of records */

static const int CONSUMES = 0x18D; /* of CIGAR's operations, bases of the reference: M, D, N, = and X */

/* What is known of the records so far; `Walk` in __init__.py is the same. */
typedef struct {
    int64_t references, is_sorted; /* how many there are; whether records must be sorted by place */
    int64_t reference, start;      /* of the record before; -1 of one without a place, which comes last */
    int64_t records, problem;
    int64_t *counts;               /* [references + 1], of each reference, and last of those without one */
    const int64_t *lengths;        /* [references] */
    int64_t *runs;                 /* [room, RUN], or NULL where nobody asks; `Runs` in bam.py says what they are */
    int64_t shift;                 /* of windows */
    int64_t begin;                 /* where `content` begins in the file without its compression */
    int64_t room, used;            /* of runs */
} Walk;

static int64_t i32(const uint8_t *at)
{
    return (int32_t)((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
}

/* How many bases of the reference a record covers, from its CIGAR; one, where that says of none or it is unmapped. */
static int64_t covered(const uint8_t *record)
{
    int64_t operations = record[12] | record[13] << 8, bases = 0;
    const uint8_t *cigar = record + FIXED + record[8];
    for (int64_t k = 0; k < operations; k++) {
        uint32_t each = (uint32_t)i32(cigar + 4 * k);
        if (CONSUMES >> (each & 15) & 1)
            bases += each >> 4;
    }
    return bases == 0 || record[14] & 4 ? 1 : bases;
}

/* Adds a record, which begins and ends there in the file, to the run of those before it, or as the next run; whether
 * there was room. */
static int run_on(Walk *walk, int64_t reference, int64_t start, const uint8_t *record, int64_t begin, int64_t end)
{
    int64_t first = -1, last = -1, *run = walk->runs + RUN * walk->used;
    if (reference >= 0 && start >= 0) {
        first = start >> walk->shift;
        last = (start + covered(record) - 1) >> walk->shift;
    }
    if (walk->used && run[REFERENCE - RUN] == reference && run[FIRST - RUN] == first && run[LAST - RUN] == last) {
        run[END - RUN] = end;
        return 1;
    }
    if (walk->used == walk->room)
        return 0;
    run[REFERENCE] = reference;
    run[FIRST] = first;
    run[LAST] = last;
    run[BEGIN] = begin;
    run[END] = end;
    walk->used++;
    return 1;
}

/* Walks over the records that are whole in `content`; where the last of them ends, or the one begins that is bad or for
 * whose run there is no room. */
int64_t walk_reads(const uint8_t *content, int64_t size, Walk *walk)
{
    int64_t at = 0;
    while (size - at >= 4) {
        int64_t length = i32(content + at);
        if (length < FIXED || length > LONGEST) {
            walk->problem = BAD;
            return at;
        }
        if (4 + length > size - at)
            break;
        const uint8_t *record = content + at + 4;
        int64_t reference = i32(record), start = i32(record + 4), bases = i32(record + 16), mate = i32(record + 20);
        int64_t name = record[8], operations = record[12] | record[13] << 8;
        int64_t needed = FIXED + name + 4 * operations + (bases + 1) / 2 + bases;
        if (reference < -1 || reference >= walk->references || mate < -1 || mate >= walk->references || start < -1 ||
            bases < 0 || name < 1 || needed > length || record[FIXED + name - 1] != 0 ||
            (reference >= 0 && start >= walk->lengths[reference])) {
            walk->problem = BAD;
            return at;
        }
        if (walk->is_sorted) {
            uint64_t now = (uint64_t)reference, before = (uint64_t)walk->reference; /* -1 is the largest */
            if (now < before || (now == before && reference >= 0 && start < walk->start)) {
                walk->problem = UNSORTED;
                return at;
            }
        }
        if (walk->runs && !run_on(walk, reference, start, record, walk->begin + at, walk->begin + at + 4 + length)) {
            walk->problem = FULL;
            return at;
        }
        walk->reference = reference;
        walk->start = start;
        walk->counts[reference < 0 ? walk->references : reference]++;
        walk->records++;
        at += 4 + length;
    }
    return at;
}

enum { WINDOW_BITS = 28 };

/* An index: what it says of places, and where in the file without its compression each of its offsets is; as
 * `standards.index_check` has it. `Held` in __init__.py is the same. */
typedef struct {
    int64_t shift, depth;                              /* from the runs' windows to its own; of its bins */
    int64_t bins, chunks, places, least_points, beyond_points;
    int64_t unplaced;                                  /* the offset from which records without a place follow, or -1 */
    const int64_t *bin, *begins, *ends, *place;
    const int64_t *least_point, *least, *beyond_point, *beyond;
} Held;

/* How many of these numbers, which ascend, are at most so large. */
static int64_t up_to(const int64_t *numbers, int64_t size, int64_t value)
{
    int64_t first = 0;
    while (size > 0) {
        int64_t half = size / 2;
        if (numbers[first + half] <= value) {
            first += half + 1;
            size -= half + 1;
        } else
            size = half;
    }
    return first;
}

/* The place that holds for a window of a reference; `other` where none does. */
static int64_t step(const Held *held, const int64_t *points, const int64_t *values, int64_t size, int64_t reference,
                    int64_t window, int64_t other)
{
    int64_t at = up_to(points, size, reference << WINDOW_BITS | window) - 1;
    return at >= 0 && points[at] >> WINDOW_BITS == reference ? held->place[values[at]] : other;
}

/* How far the chunks of a bin, by its key, reach without a gap from a place on. */
static int64_t reach(const Held *held, int64_t key, int64_t from)
{
    int64_t bin = up_to(held->bin, held->bins, key) - 1;
    if (bin < 0 || held->bin[bin] != key)
        return from;
    int64_t begun = up_to(held->place, held->places, from);
    int64_t chunk = up_to(held->begins, held->chunks, bin * held->places + begun - 1) - 1;
    if (chunk < 0 || held->begins[chunk] / held->places != bin)
        return from;
    int64_t end = held->place[held->ends[chunk] - bin * held->places];
    return end > from ? end : from;
}

/* Whether the chunks of a run's bin and of those around it cover it, together. */
static int covers(const Held *held, const int64_t *run, int64_t first, int64_t last)
{
    int64_t of_reference = ((INT64_C(1) << 3 * (held->depth + 1)) - 1) / 7, reached = run[BEGIN], before;
    do {
        before = reached;
        for (int64_t level = 0; level <= held->depth; level++) {
            if (first >> 3 * level != last >> 3 * level)
                continue;
            int64_t number = ((INT64_C(1) << 3 * (held->depth - level)) - 1) / 7 + (first >> 3 * level);
            reached = reach(held, run[REFERENCE] * of_reference + number, reached);
            if (reached >= run[END])
                return 1;
        }
    } while (reached > before);
    return 0;
}

/* The first of some runs of which a record is hidden by an index; `count` where none is. */
int64_t find_hidden(const Held *held, const int64_t *runs, int64_t count)
{
    for (int64_t k = 0; k < count; k++) {
        const int64_t *run = runs + RUN * k;
        int64_t reference = run[REFERENCE], first = run[FIRST] >> held->shift, last = run[LAST] >> held->shift;
        if (reference < 0 && held->unplaced >= 0 && run[BEGIN] < held->place[held->unplaced])
            return k;
        if (run[FIRST] < 0)
            continue;
        if (last >> 3 * held->depth ||
            step(held, held->least_point, held->least, held->least_points, reference, last, 0) > run[BEGIN] ||
            step(held, held->beyond_point, held->beyond, held->beyond_points, reference, first, INT64_MAX) < run[END] ||
            !covers(held, run, first, last))
            return k;
    }
    return count;
}
