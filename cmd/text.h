/* SPDX-License-Identifier: MIT */
/* cmd/text.h - lines that programs read: JSON written by hand, numbers, hex. */
#ifndef CMD_TEXT_H
#define CMD_TEXT_H

#include <stdio.h>

#include "base/bytes.h"

/* A JSON string; bytes that are no UTF-8 become U+FFFD. */
void print_json_string(FILE *to, const uint8_t *text, size_t len);
void print_json_text(FILE *to, const char *text);
/* "0x..." as a JSON string. */
void print_json_hex(FILE *to, const uint8_t *data, size_t len);
/* The shortest digits that read back as x; null if it is not finite. */
void print_json_real(FILE *to, double x);

#define REAL_TEXT_MAX 32
void real_text(char out[static REAL_TEXT_MAX], double x);

void print_hex(FILE *to, const uint8_t *data, size_t len); /* without 0x */

/* What a stranger wrote, for a terminal: control characters become \xNN. */
void print_harmless(FILE *to, const uint8_t *text, size_t len);

/* The length of the UTF-8 sequence that text begins with; 0 if it is none. */
size_t utf8_len(const uint8_t *text, size_t len);

#endif /* CMD_TEXT_H */
