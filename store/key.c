/* SPDX-License-Identifier: MIT */
/* store/key.c - key files as geth writes them, and other secrets in files. */
#include "store/file.h"

#define KEY_DIGITS   64
#define KEY_FILE_MAX (KEY_DIGITS + 2) /* two line ends, as geth tolerates */

static bool is_line_end(uint8_t c)
{
	return c == '\n' || c == '\r';
}

static enum err key_of_text(struct seckey *out, const uint8_t *text, size_t len,
			    const struct crypto *c)
{
	char digits[KEY_DIGITS + 1];
	struct seckey key;
	enum err err = ERR_KEY;

	for (size_t i = KEY_DIGITS; i < len; i++)
		if (!is_line_end(text[i]))
			return ERR_KEY;
	if (len < KEY_DIGITS)
		return ERR_KEY;
	memcpy(digits, text, KEY_DIGITS);
	digits[KEY_DIGITS] = '\0';
	if (hex_decode(key.b, sizeof(key.b), digits) == OK && seckey_valid(c, &key)) {
		*out = key;
		err = OK;
	}
	crypto_wipe(&key, sizeof(key));
	crypto_wipe(digits, sizeof(digits));
	return err;
}

enum err store_key_read(struct seckey *out, const char *path, const struct crypto *c,
			char why[static STORE_WHY_MAX])
{
	uint8_t text[KEY_FILE_MAX];
	size_t len;
	enum err err = store__read_private(text, &len, sizeof(text), path, why);

	if (err == ERR_SIZE)
		err = ERR_KEY;
	else if (err != OK)
		return err;
	else
		err = key_of_text(out, text, len, c);
	crypto_wipe(text, sizeof(text));
	if (err != OK)
		store__why(why, path,
			   "holds no key, expected 64 hex digits of a secp256k1 scalar and nothing "
			   "else");
	return err;
}

enum err store_key_write(const char *path, const struct seckey *key, const struct rng *rng,
			 char why[static STORE_WHY_MAX])
{
	char text[KEY_DIGITS + 2];
	enum err err;

	hex_encode(text, key->b, sizeof(key->b));
	text[KEY_DIGITS] = '\n';
	err = store__write_private(path, (const uint8_t *)text, KEY_DIGITS + 1, rng, why);
	crypto_wipe(text, sizeof(text));
	return err;
}

enum err store_key_ensure(struct seckey *out, const char *path, const struct crypto *c,
			  const struct rng *rng, char why[static STORE_WHY_MAX])
{
	struct seckey key;
	enum err err = store_key_read(out, path, c, why);

	if (err != ERR_NOT_FOUND)
		return err;
	err = seckey_generate(c, &key, rng);
	if (err != OK)
		store__why(why, path, "no key could be made: %s", err_text(err));
	else
		err = store_key_write(path, &key, rng, why);
	if (err == OK)
		*out = key;
	crypto_wipe(&key, sizeof(key));
	/* Somebody was faster: theirs is the key. */
	return err == ERR_EXISTS ? store_key_read(out, path, c, why) : err;
}

enum err store_secret_read(char *out, size_t *len, size_t max, const char *path,
			   char why[static STORE_WHY_MAX])
{
	enum err err = store__read_private((uint8_t *)out, len, max, path, why);

	if (err != OK)
		return err;
	if (*len > 0 && out[*len - 1] == '\n')
		(*len)--;
	if (*len > 0 && out[*len - 1] == '\r')
		(*len)--;
	out[*len] = '\0';
	if (*len > 0)
		return OK;
	store__why(why, path, "is empty, expected a secret on its first line");
	return ERR_SIZE;
}
