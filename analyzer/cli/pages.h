/*
 * pages.h - the pages of docs/rules, compiled in. Generated: pages.cmake.
 */
#ifndef PAGES_H
#define PAGES_H

/* The page's text; NULL when there is none of that name. */
const char *page_find(const char *name);

#endif
