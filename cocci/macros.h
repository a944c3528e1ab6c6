/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Macros that Coccinelle 1.1.1 cannot parse where they are used. A function
 * with one of them is left out by spatch, without a word and with exit code 0.
 *
 * For spatch's --macro-file. Only the shape matters here: what a rule looks
 * for must stay in sight, what the macro does need not.
 */

/* do { } for_each_vma(...); is how userfaultfd and smaps walk "from here on" */
#define for_each_vma(__vmi, __vma) while ((__vma) != NULL)
#define for_each_vma_range(__vmi, __vma, __end) while ((__vma) != NULL)

/* A statement follows */
#define scoped_guard(...) if (1)
#define scoped_cond_guard(...) if (1)

/* Function definitions */
#define COMPAT_SYSCALL_DEFINE3(name, t1, a1, t2, a2, t3, a3) long name(t1 a1, t2 a2, t3 a3)

/* An attribute after the parameters of a function definition */
#define __context_unsafe(...)
