/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking over BAM's records. The twin in Python, which is its oracle in the tests, is `standards.bam.walk_slowly`.
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
