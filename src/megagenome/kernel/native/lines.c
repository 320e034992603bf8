/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading lines of VCF that are of the common form. Every other line, and so every one that is refused, is left to the
 * twin in Python, `standards.vcf_lines.parse_line`, which is also the oracle in the tests. What is found is said there.
 */

#include <stdint.h>
#include <string.h>

enum { LINE, CONTIG_END, START, REF, REF_END, ALT, ALT_END, ALTERNATES, COMMON, COLUMNS };
enum { MISSING = -1, ABSENT = -2, MOST_ALTERNATES = 126, MOST_DIGITS = 10 };
enum { PLAIN = 1, NAME = 2, BASE = 4, NUMBER = 8, TAG = 16 };

static uint8_t kinds[256];

__attribute__((constructor)) static void know_kinds(void)
{
    for (int c = 0x21; c < 0x7F; c++)
        kinds[c] |= PLAIN;
    for (int c = '0'; c <= '9'; c++)
        kinds[c] |= NAME | NUMBER | TAG;
    for (int c = 'A'; c <= 'Z'; c++) {
        kinds[c] |= NAME | TAG;
        kinds[c + 32] |= NAME | TAG;
    }
    for (const char *c = "._-|"; *c; c++)
        kinds[(uint8_t)*c] |= NAME;
    for (const char *c = "_:"; *c; c++)
        kinds[(uint8_t)*c] |= TAG;
    for (const char *c = "ACGTNacgtn"; *c; c++)
        kinds[(uint8_t)*c] |= BASE;
    for (const char *c = ".+-eE"; *c; c++)
        kinds[(uint8_t)*c] |= NUMBER;
}

/* The end of the run of characters of `kind` from `at` on; NULL unless it has one and a tab follows. */
static const uint8_t *cell(const uint8_t *at, int kind)
{
    const uint8_t *end = at;
    while (kinds[*end] & kind)
        end++;
    return end > at && *end == '\t' ? end : NULL;
}

/* How many alternates of bases and of symbols stand between two places; -1 where there is anything else. */
static int64_t alternates(const uint8_t *at, const uint8_t *end)
{
    if (end - at == 1 && *at == '.')
        return 0;
    for (int64_t found = 1;; found++) {
        const uint8_t *first = at;
        if (*at == '<') {
            for (at++; kinds[*at] & (NAME | TAG); at++)
                ;
            if (at == first + 1 || *at++ != '>')
                return -1;
        } else {
            while (kinds[*at] & BASE)
                at++;
            if (at == first)
                return -1;
        }
        if (at == end)
            return found <= MOST_ALTERNATES ? found : -1;
        if (*at++ != ',')
            return -1;
    }
}

/* An allele of a call, at *at; below ABSENT where there is none, or one that is not listed. */
static int allele(const uint8_t **at, int64_t listed)
{
    const uint8_t *c = *at;
    if (*c == '.') {
        *at = c + 1;
        return MISSING;
    }
    int number = 0, digits = 0;
    for (; *c >= '0' && *c <= '9' && digits < 4; c++, digits++)
        number = 10 * number + *c - '0';
    *at = c;
    return digits == 0 || number > listed ? ABSENT - 1 : number;
}

/* Whether the samples' cells from `at` to the line's end are what they must be; if so their calls. */
static int read_calls(const uint8_t *at, const uint8_t *end, int64_t samples, int64_t keys, int64_t listed,
                      int8_t *calls)
{
    for (int64_t k = 0; k < samples; k++) {
        int first = allele(&at, listed), second = ABSENT;
        if (first >= MISSING && (*at == '/' || *at == '|')) {
            at++;
            second = allele(&at, listed);
            if (second < MISSING)
                return 0;
        }
        if (first < MISSING)
            return 0;
        if (*at == ':') {
            int64_t more = 0;
            for (; kinds[*at] & PLAIN; at++)
                more += *at == ':';
            if (more >= keys)
                return 0;
        }
        if (k == samples - 1 ? at != end : *at != '\t')
            return 0;
        at++;
        calls[2 * k] = (int8_t)first;
        calls[2 * k + 1] = (int8_t)second;
    }
    return 1;
}

/* Whether the line at `line`, with a newline at `end`, is of the common form; if so its columns and calls. No loop goes
 * beyond the newline: it is of no kind. */
static int read_common(const uint8_t *content, const uint8_t *line, const uint8_t *end, int64_t samples,
                       int64_t *column[], int8_t *calls)
{
    const uint8_t *contig = cell(line, NAME);
    if (!contig)
        return 0;
    const uint8_t *at = contig + 1;
    int64_t position = 0;
    int digits = 0;
    for (; *at >= '0' && *at <= '9' && digits <= MOST_DIGITS; at++, digits++)
        position = 10 * position + *at - '0';
    if (digits == 0 || *at != '\t' || position < 1 || position > INT32_MAX)
        return 0;
    const uint8_t *id = cell(at + 1, PLAIN);
    const uint8_t *ref = id ? cell(id + 1, BASE) : NULL;
    const uint8_t *alt = ref ? cell(ref + 1, PLAIN) : NULL;
    int64_t listed = alt ? alternates(ref + 1, alt) : -1;
    const uint8_t *quality = listed >= 0 ? cell(alt + 1, NUMBER) : NULL;
    const uint8_t *filter = quality ? cell(quality + 1, PLAIN) : NULL;
    if (!filter)
        return 0;
    const uint8_t *info = filter + 1;
    while (kinds[*info] & PLAIN)
        info++;
    if (info == filter + 1)
        return 0;
    if (samples == 0) {
        if (info != end)
            return 0;
    } else {
        if (*info != '\t' || info[1] != 'G' || info[2] != 'T')
            return 0;
        const uint8_t *format = cell(info + 1, TAG);
        if (!format || (info[3] != ':' && info[3] != '\t'))
            return 0;
        int64_t keys = 1;
        for (const uint8_t *c = info + 3; c < format; c++) {
            if (*c != ':')
                continue;
            int is_again = c[1] == 'G' && c[2] == 'T' && (c[3] == ':' || c[3] == '\t');
            if (c[1] == ':' || c[1] == '\t' || is_again)
                return 0;
            keys++;
        }
        if (!read_calls(format + 1, end, samples, keys, listed, calls))
            return 0;
    }
    *column[CONTIG_END] = contig - content;
    *column[START] = position - 1;
    *column[REF] = id + 1 - content;
    *column[REF_END] = ref - content;
    *column[ALT] = ref + 1 - content;
    *column[ALT_END] = alt - content;
    *column[ALTERNATES] = listed;
    return 1;
}

/* The first `most` lines that are whole in `content` from *at on; how many there are. *at is then where the last of
 * them ends. `columns` is [COLUMNS][most], `calls` [most][samples][2]. */
int64_t read_lines(const uint8_t *content, int64_t size, int64_t *at, int64_t samples, int64_t most, int64_t *columns,
                   int8_t *calls)
{
    int64_t found = 0;
    while (found < most && *at < size) {
        const uint8_t *end = memchr(content + *at, '\n', (size_t)(size - *at));
        if (!end)
            break;
        int64_t *column[COLUMNS];
        for (int k = 0; k < COLUMNS; k++) {
            column[k] = columns + k * most + found;
            *column[k] = 0;
        }
        *column[LINE] = *at;
        *column[COMMON] = read_common(content, content + *at, end, samples, column, calls + 2 * samples * found);
        *at = end + 1 - content;
        found++;
    }
    return found;
}
