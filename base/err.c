/* SPDX-License-Identifier: MIT */
/* base/err.c - the one list of failures, as text. */
#include "base/err.h"

#include <stddef.h>

enum err_class { LOCAL, PEER };

static const struct {
	const char *name;
	const char *text;
	enum err_class class;
} errs[] = {
#define ERR_ROW(name, class, text) { #name, text, class },
	ERR_LIST(ERR_ROW)
#undef ERR_ROW
};

#define ERR_COUNT (sizeof(errs) / sizeof(errs[0]))

const char *err_name(enum err e)
{
	return (size_t)e < ERR_COUNT ? errs[e].name : "ERR_UNKNOWN";
}

const char *err_text(enum err e)
{
	return (size_t)e < ERR_COUNT ? errs[e].text : "an error without a name";
}

bool err_is_peer(enum err e)
{
	return (size_t)e < ERR_COUNT && errs[e].class == PEER;
}
