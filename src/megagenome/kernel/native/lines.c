/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading lines of VCF that are of the common form. Every other line, and so every one that is refused, is left to the
 * twin in Python, `standards.vcf_lines.parse_line`, which is also the oracle in the tests. What is found is said there.
 */

#include <stdint.h>
#include <string.h>

enum { LINE, CONTIG_END, START, REF, REF_END, ALT, ALT_END, ALTERNATES, COMMON, COLUMNS };
enum { MISSING = -1, ABSENT = -2, MOST_ALTERNATES = 126, MOST_DIGITS = 10 };
enum { PLAIN = 1, NAME = 2, BASE = 4, TAG = 8 };

static uint8_t kinds[256];

__attribute__((constructor)) static void know_kinds(void)
{
    for (int c = 0x21; c < 0x7F; c++)
        kinds[c] |= PLAIN;
    for (int c = '0'; c <= '9'; c++)
        kinds[c] |= NAME | TAG;
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
}

/* The end of the run of characters of `kind` from `at` on; NULL unless it has one and a tab follows. */
static const uint8_t *cell(const uint8_t *at, int kind)
{
    const uint8_t *end = at;
    while (kinds[*end] & kind)
        end++;
    return end > at && *end == '\t' ? end : NULL;
}

static const uint8_t *past_digits(const uint8_t *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

/* The end of a point or a decimal number from `at` on; NULL unless it is one and a tab follows. Others VCF has, too. */
static const uint8_t *quality_cell(const uint8_t *at)
{
    const uint8_t *end = past_digits(at);
    if (end == at)
        return at[0] == '.' && at[1] == '\t' ? at + 1 : NULL;
    if (*end == '.')
        end = past_digits(end + 1);
    if (*end == 'e' || *end == 'E') {
        const uint8_t *exponent = end + 1 + (end[1] == '+' || end[1] == '-');
        end = past_digits(exponent);
        if (end == exponent)
            return NULL;
    }
    return *end == '\t' ? end : NULL;
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

/* What is known of a line's FORMAT: how many keys it has, and which have a value for each genotype, one bit each. */
typedef struct {
    int64_t keys;
    uint64_t by_genotype;
} Format;

/* Whether `names`, each of which ends in a tab, has the one that stands between two places. */
static int is_among(const char *names, const uint8_t *at, const uint8_t *end)
{
    for (const char *name = names; *name; name = strchr(name, '\t') + 1)
        if (!strncmp(name, (const char *)at, (size_t)(end - at)) && name[end - at] == '\t')
            return 1;
    return 0;
}

/* The keys between two places, the first of which is GT; none where one is empty or GT again, or too many are to be
 * counted. */
static Format read_format(const uint8_t *at, const uint8_t *end, const char *names)
{
    Format format = {0, 0}, none = {0, 0};
    while (at <= end) {
        const uint8_t *key = at;
        while (at < end && *at != ':')
            at++;
        int is_gt = at - key == 2 && key[0] == 'G' && key[1] == 'T';
        if (at == key || is_gt != (format.keys == 0))
            return none;
        if (is_among(names, key, at)) {
            if (format.keys >= 64)
                return none;
            format.by_genotype |= (uint64_t)1 << format.keys;
        }
        format.keys++;
        at++;
    }
    return format;
}

/* Whether a sample's cells after GT, from *at on, are no more than there are keys, and have as many values as there
 * are genotypes where they must. *at is then where they end. */
static int read_rest(const uint8_t **at, Format format, int64_t genotypes)
{
    const uint8_t *c = *at;
    int64_t key = 0, values = 1;
    const uint8_t *value = c;
    for (;; c++) {
        if (kinds[*c] & PLAIN && *c != ':') {
            values += *c == ',';
            continue;
        }
        int is_counted = key > 0 && key < 64 && format.by_genotype >> key & 1;
        if (is_counted && genotypes && values != genotypes && !(c - value == 1 && *value == '.'))
            return 0;
        if (*c != ':')
            break;
        if (++key >= format.keys)
            return 0;
        value = c + 1;
        values = 1;
    }
    *at = c;
    return 1;
}

/* Whether the samples' cells from `at` to the line's end are what they must be; if so their calls. */
static int read_calls(const uint8_t *at, const uint8_t *end, int64_t samples, Format format, int64_t listed,
                      int8_t *calls)
{
    int64_t alleles = listed + 1, diploid = alleles * (alleles + 1) / 2;
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
        int64_t genotypes = !listed || (first == MISSING && second == ABSENT) ? 0 : second == ABSENT ? alleles : diploid;
        if (*at == ':' && !read_rest(&at, format, genotypes))
            return 0;
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
                       const char *names, int64_t *column[], int8_t *calls)
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
    const uint8_t *quality = listed >= 0 ? quality_cell(alt + 1) : NULL;
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
        if (*info != '\t')
            return 0;
        const uint8_t *format = cell(info + 1, TAG);
        Format keys = {0, 0};
        if (format)
            keys = read_format(info + 1, format, names);
        if (keys.keys == 0 || !read_calls(format + 1, end, samples, keys, listed, calls))
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
 * them ends. `names` are FORMAT keys with a value for each genotype, each with a tab after it. `columns` is
 * [COLUMNS][most], `calls` [most][samples][2]. */
int64_t read_lines(const uint8_t *content, int64_t size, int64_t *at, int64_t samples, const char *names, int64_t most,
                   int64_t *columns, int8_t *calls)
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
        *column[COMMON] = read_common(content, content + *at, end, samples, names, column, calls + 2 * samples * found);
        *at = end + 1 - content;
        found++;
    }
    return found;
}
