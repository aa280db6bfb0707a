/* SPDX-License-Identifier: MIT */
/* node/memory.c - a table with an order of use: chains find, a list forgets. */
#include "node/memory.h"

#include "node/node.h"

#define NONE  UINT16_MAX
#define FIRST 16u /* entries of the first allocation; doubled up to NODE_MEMORY_MAX */

_Static_assert(NODE_MEMORY_MAX < NONE && (NODE_MEMORY_MAX & (NODE_MEMORY_MAX - 1)) == 0,
	       "indices are 16 bits wide, capacities powers of two");

void node__memory_init(struct node__memory *m, struct mem *mem, struct siphash_key secret)
{
	*m = (struct node__memory){
		.mem = mem,
		.secret = secret,
		.newest = NONE,
		.oldest = NONE,
	};
}

void node__memory_reset(struct node__memory *m)
{
	mem_free(m->mem, MEM_PEERS, m->entry, m->capacity * sizeof(*m->entry));
	mem_free(m->mem, MEM_PEERS, m->head, m->capacity * sizeof(*m->head));
	node__memory_init(m, m->mem, m->secret);
}

static uint64_t key_of(const struct node__memory *m, char kind, const uint8_t *data, size_t len)
{
	uint8_t text[1 + sizeof(struct pubkey)];

	text[0] = (uint8_t)kind;
	memcpy(text + 1, data, len);
	return siphash(&m->secret, text, 1 + len);
}

uint64_t node__memory_key(const struct node__memory *m, const struct pubkey *id)
{
	return key_of(m, 'n', id->b, sizeof(id->b));
}

static uint64_t host_key(const struct node__memory *m, const struct ip *ip)
{
	struct ip host = ip_host(ip);

	return key_of(m, 'h', host.b, sizeof(host.b));
}

static uint16_t *head_of(const struct node__memory *m, uint64_t key)
{
	return &m->head[key & (m->capacity - 1)];
}

static void unlink_use(struct node__memory *m, struct node__past *p)
{
	*(p->newer == NONE ? &m->newest : &m->entry[p->newer].older) = p->older;
	*(p->older == NONE ? &m->oldest : &m->entry[p->older].newer) = p->newer;
}

static void link_newest(struct node__memory *m, struct node__past *p)
{
	uint16_t at = (uint16_t)(p - m->entry);

	p->newer = NONE;
	p->older = m->newest;
	*(m->newest == NONE ? &m->oldest : &m->entry[m->newest].newer) = at;
	m->newest = at;
}

static void link_chain(struct node__memory *m, struct node__past *p)
{
	uint16_t *head = head_of(m, p->key);

	p->chain = *head;
	*head = (uint16_t)(p - m->entry);
}

static void unlink_chain(struct node__memory *m, const struct node__past *p)
{
	uint16_t *at = head_of(m, p->key);

	while (&m->entry[*at] != p)
		at = &m->entry[*at].chain;
	*at = p->chain;
}

static struct node__past *find(struct node__memory *m, uint64_t key)
{
	uint16_t at;

	if (m->capacity == 0)
		return NULL;
	for (at = *head_of(m, key); at != NONE; at = m->entry[at].chain) {
		struct node__past *p = &m->entry[at];

		if (p->key != key)
			continue;
		unlink_use(m, p);
		link_newest(m, p);
		return p;
	}
	return NULL;
}

/* Double the table; false if there is no memory or it may not grow. */
static bool grow(struct node__memory *m)
{
	uint32_t to = m->capacity ? m->capacity * 2 : FIRST;
	struct node__past *entry;
	uint16_t *head;

	if (to > NODE_MEMORY_MAX)
		return false;
	head = mem_alloc(m->mem, MEM_PEERS, to * sizeof(*head));
	if (!head)
		return false;
	entry = mem_resize(m->mem, MEM_PEERS, m->entry, m->capacity * sizeof(*entry),
			   to * sizeof(*entry));
	if (!entry) {
		mem_free(m->mem, MEM_PEERS, head, to * sizeof(*head));
		return false;
	}
	m->entry = entry;
	mem_free(m->mem, MEM_PEERS, m->head, m->capacity * sizeof(*m->head));
	m->head = head;
	m->capacity = to;
	memset(head, 0xff, to * sizeof(*head));
	for (uint32_t i = 0; i < m->count; i++)
		link_chain(m, &m->entry[i]);
	return true;
}

static struct node__past *use(struct node__memory *m, uint64_t key)
{
	struct node__past *p = find(m, key);

	if (p)
		return p;
	if (m->count < m->capacity || grow(m)) {
		p = &m->entry[m->count++];
	} else if (m->oldest != NONE) {
		p = &m->entry[m->oldest];
		unlink_chain(m, p);
		unlink_use(m, p);
	} else {
		return NULL;
	}
	*p = (struct node__past){ .key = key, .dialled_ms = NODE__NEVER_MS };
	link_chain(m, p);
	link_newest(m, p);
	return p;
}

struct node__past *node__memory_find_node(struct node__memory *m, const struct pubkey *id)
{
	return find(m, node__memory_key(m, id));
}

struct node__past *node__memory_find_host(struct node__memory *m, const struct ip *ip)
{
	return find(m, host_key(m, ip));
}

struct node__past *node__memory_use_node(struct node__memory *m, const struct pubkey *id)
{
	return use(m, node__memory_key(m, id));
}

struct node__past *node__memory_use_host(struct node__memory *m, const struct ip *ip)
{
	return use(m, host_key(m, ip));
}
