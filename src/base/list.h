/* Intrusive doubly linked list. A link that is in no list points to itself. */
#ifndef FL_BASE_LIST_H
#define FL_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct fl_link {
	struct fl_link *prev, *next;
};

#define fl_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline void fl_list_init(struct fl_link *l)
{
	l->prev = l->next = l;
}

static inline bool fl_list_empty(const struct fl_link *l)
{
	return l->next == l;
}

static inline void fl_list_push_back(struct fl_link *head, struct fl_link *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

static inline void fl_list_push_front(struct fl_link *head, struct fl_link *l)
{
	fl_list_push_back(head->next, l);
}

/* Takes `l` out of whatever list it is in; safe on a link that is in none. */
static inline void fl_list_remove(struct fl_link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	fl_list_init(l);
}

#define fl_list_each(it, head)                                                                 \
	for (struct fl_link *it = (head)->next; it != (head); it = it->next)

/* As fl_list_each; the body may remove `it`, and nothing else. */
#define fl_list_each_safe(it, head)                                                            \
	for (struct fl_link *it = (head)->next, *it##_next = it->next; it != (head);           \
		it = it##_next, it##_next = it->next)

#endif
