/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking over BAM's records. The twin in Python, which is its oracle in the tests, is `standards.bam.walk_slowly`.
 */

#include <stdint.h>

enum { FIXED = 32, LONGEST = 1 << 28 };
enum { OK, BAD, UNSORTED };

/* What is known of the records so far; `Walk` in __init__.py is the same. */
typedef struct {
    int64_t references, is_sorted; /* how many there are; whether records must be sorted by place */
    int64_t reference, start;      /* of the record before; -1 of one without a place, which comes last */
    int64_t records, problem;
    int64_t *counts;               /* [references + 1], of each reference, and last of those without one */
    const int64_t *lengths;        /* [references] */
} Walk;

static int64_t i32(const uint8_t *at)
{
    return (int32_t)((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
}

/* Walks over the records that are whole in `content`; where the last of them ends, or the bad one begins. */
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
        walk->reference = reference;
        walk->start = start;
        walk->counts[reference < 0 ? walk->references : reference]++;
        walk->records++;
        at += 4 + length;
    }
    return at;
}
