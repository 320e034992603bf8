/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding BCF records. The twin in NumPy, which is its oracle in the tests and its stand-in where no compiler was at
 * hand, is in `standards.bcf_scan`; what is found is said there.
 */

#include <stdint.h>
#include <string.h>

enum { LENGTHS = 8, FIXED = 24, TEXT = 7, LONG = 15 };
enum { PLACE, CONTIG, START, REF, REF_END, ALT, ALT_END, CALLS, COMMON, COLUMNS };

/* What records of a file must agree with; `Form` in __init__.py is the same. */
typedef struct {
    const int64_t *contigs; /* [known], increasing */
    int64_t known, samples, limit;
    int64_t key; /* of GT, 0 to 127, or -1 */
} Form;

static uint32_t u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int is_known(const Form *form, int64_t contig)
{
    int64_t low = 0, high = form->known;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (form->contigs[middle] < contig)
            low = middle + 1;
        else
            high = middle;
    }
    return low < form->known && form->contigs[low] == contig;
}

/* The end of a text whose descriptor stands at `at`, if it is one whose length fits into the descriptor and it ends at
 * `end` or before; else -1. */
static int64_t text_end(const uint8_t *content, int64_t at, int64_t end)
{
    if (at < 0 || at >= end)
        return -1;
    int64_t length = content[at] >> 4;
    if ((content[at] & 15) != TEXT || length == LONG || at + 1 + length > end)
        return -1;
    return at + 1 + length;
}

/* Whether a record is of the common form, and if so its columns. It begins at `place` and is whole. */
static int read_common(const uint8_t *content, int64_t place, int64_t shared, int64_t individual, const Form *form,
                       int64_t *column[])
{
    const uint8_t *fixed = content + place + LENGTHS;
    int64_t shared_end = place + LENGTHS + shared;
    if (form->key < 0 || shared < FIXED || individual < 3 + 2 * form->samples)
        return 0;
    int64_t contig = (int32_t)u32(fixed);
    uint32_t formats_and_samples = u32(fixed + 20);
    const uint8_t *format = content + shared_end;
    if ((fixed[18] | fixed[19] << 8) != 2 || (formats_and_samples & 0xFFFFFF) != form->samples ||
        formats_and_samples >> 24 == 0 || format[0] != 0x11 || format[1] != form->key || format[2] != 0x21 ||
        !is_known(form, contig))
        return 0;
    int64_t id_end = text_end(content, place + LENGTHS + FIXED, shared_end);
    int64_t ref_end = text_end(content, id_end, shared_end), alt_end = text_end(content, ref_end, shared_end);
    if (alt_end < 0)
        return 0;
    *column[CONTIG] = contig;
    *column[START] = (int32_t)u32(fixed + 4);
    *column[REF] = id_end + 1;
    *column[REF_END] = ref_end;
    *column[ALT] = ref_end + 1;
    *column[ALT_END] = alt_end;
    *column[CALLS] = shared_end + 3;
    return 1;
}

/* The first `most` records that are whole in `content` from *at on; how many there are, and -1 for a record that claims
 * to be longer than any. *at is then where the last of them ends. `columns` is [COLUMNS][most]. */
int64_t find_records(const uint8_t *content, int64_t size, int64_t *at, const Form *form, int64_t most, int64_t *columns)
{
    int64_t found = 0;
    while (found < most && size - *at >= LENGTHS) {
        int64_t shared = u32(content + *at), individual = u32(content + *at + 4);
        if (shared > form->limit || individual > form->limit)
            return -1;
        if (LENGTHS + shared + individual > size - *at)
            break;
        int64_t *column[COLUMNS];
        for (int k = 0; k < COLUMNS; k++) {
            column[k] = columns + k * most + found;
            *column[k] = 0;
        }
        *column[PLACE] = *at;
        *column[COMMON] = read_common(content, *at, shared, individual, form, column);
        *at += LENGTHS + shared + individual;
        found++;
    }
    return found;
}
