/* The parts of the HTML page, embedded when muster is built (plan/html/). Private to the plan room. */
#ifndef MUSTER_PLAN_PAGE_H
#define MUSTER_PLAN_PAGE_H

/* With {{policy}}, {{title}}, {{style}}, {{data}} and {{script}}, each once. */
extern const char plan_page_html[];
extern const char plan_page_style[];
extern const char plan_page_script[];

#endif
