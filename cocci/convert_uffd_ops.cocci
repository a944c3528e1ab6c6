// SPDX-License-Identifier: GPL-2.0
///
/// userfaultfd's memory types are a closed set in mm, vm_operations_struct has
/// no .uffd_ops any more: take the table and its uses out of a driver or file
/// system. What the table's functions did has to become a type in mm, see
/// Documentation/mm/userfaultfd.rst.
///
//  Confidence: Moderate
//  Copyright: (C) 2026 the authors of the uffd-types series
//  URL: https://coccinelle.gitlabpages.inria.fr/website/
//  Comments: The functions of the table stay, without a caller: they say what
//  Comments: mm has to do for the type. Report mode names them.
//  Comments: An #ifdef around the removed lines stays, empty.
//  Options: --include-headers --include-headers-for-types
//  Keywords: userfaultfd uffd_ops vm_uffd_ops
//  Requires: 1.1.1

virtual patch
virtual context
virtual org
virtual report

//----------------------------------------------------------
//  For patch mode
//----------------------------------------------------------

@depends on patch@
identifier I;
expression E;
@@

struct vm_operations_struct I = {
+	/* TODO: mm must know this memory type: Documentation/mm/userfaultfd.rst */
-	.uffd_ops = E,
};

// spatch cannot put a comment in the place of a statement
@depends on patch@
struct vm_operations_struct V;
identifier fn;
expression E;
@@

fn(...)
{
+	/* TODO: mm must know this memory type: Documentation/mm/userfaultfd.rst */
	<+...
-	V.uffd_ops = E;
	...+>
}

@table depends on patch@
identifier T;
@@

- struct vm_uffd_ops T = { ... };

@depends on patch@
identifier T;
@@

- struct vm_uffd_ops T;

@depends on patch && table@
identifier table.T;
declarer name EXPORT_SYMBOL, EXPORT_SYMBOL_GPL;
@@

(
- EXPORT_SYMBOL(T);
|
- EXPORT_SYMBOL_GPL(T);
)

//----------------------------------------------------------
//  For context mode
//----------------------------------------------------------

@depends on context@
identifier I;
expression E;
@@

struct vm_operations_struct I = {
*	.uffd_ops = E,
};

@depends on context@
struct vm_operations_struct V;
@@

* V.uffd_ops

@depends on context@
identifier T;
@@

* struct vm_uffd_ops T = { ... };

//----------------------------------------------------------
//  For org and report mode
//----------------------------------------------------------

@init depends on org || report@
identifier I;
expression E;
position p;
@@

struct vm_operations_struct I = { .uffd_ops@p = E, };

// Set or followed: the latter is left to a human
@use depends on org || report@
struct vm_operations_struct V;
position p;
@@

  V.uffd_ops@p

@step depends on org || report@
identifier T, F, fn;
position p;
@@

struct vm_uffd_ops T = { .F = fn@p, };

@initialize:python depends on org@
@@

def say(p, message):
	coccilib.org.print_todo(p, message)

@initialize:python depends on report@
@@

def say(p, message):
	coccilib.report.print_report(p, message)

@script:python depends on org || report@
p << init.p;
x << init.I;
@@

say(p[0], "%s: .uffd_ops is gone, add the memory type to mm" % x)

@script:python depends on org || report@
p << use.p;
@@

say(p[0], ".uffd_ops is gone, add the memory type to mm")

@script:python depends on org || report@
p << step.p;
t << step.T;
f << step.F;
fn << step.fn;
@@

say(p[0], "%s: %s() is what mm has to do for %s of the new type" % (t, fn, f))
