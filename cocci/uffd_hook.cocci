// SPDX-License-Identifier: GPL-2.0
///
/// No vm_operations_struct may carry a userfaultfd hook: which memory type a
/// VMA is, and what is done for that type, is decided in mm. A hook in the
/// table is open to every driver, and it leaks to whoever copies the table.
///
//  Confidence: High
//  Copyright: (C) 2026 the authors of the uffd-types series
//  URL: https://coccinelle.gitlabpages.inria.fr/website/
//  Comments: A hook is a member of vm_operations_struct whose name contains
//  Comments: "uffd" or "userfault". Setting it to NULL is not reported. Where
//  Comments: the members are declared cocci/run also reads the text.
//  Comments: (Regular expressions without | and (): spatch may be built with
//  Comments: those of PCRE or of OCaml's Str, which write them otherwise.)
//  Comments: A copy of a vm_operations_struct is reported with -D copies
//  Comments: only (cocci/run gives it where the tree's vm_operations_struct
//  Comments: has a hook), where the file makes something a vm_ops and the
//  Comments: copy's hook is not cleared.
//  Options: --include-headers --include-headers-for-types
//  Keywords: userfaultfd vm_operations_struct uffd_ops
//  Requires: 1.1.1

virtual context
virtual org
virtual report
virtual copies

//----------------------------------------------------------
//  What can be set: by initialiser, by assignment, by copy
//----------------------------------------------------------

@member@
identifier F =~ "us*e*r*ff*a*[du]";
type T;
position p;
@@

struct vm_operations_struct {
	...
	T F@p;
	...
};

@init@
identifier I, F =~ "us*e*r*ff*a*[du]";
expression E != NULL;
position p;
@@

struct vm_operations_struct I = { .F@p = E, };

@initold@
identifier I, F =~ "us*e*r*ff*a*[du]";
expression E != NULL;
position p;
@@

struct vm_operations_struct I = { F@p : E, };

@initarray@
identifier I, F =~ "us*e*r*ff*a*[du]";
expression E != NULL;
position p;
@@

struct vm_operations_struct I[...] = { ..., { .F@p = E, }, ... };

@initindex@
identifier I, F =~ "us*e*r*ff*a*[du]";
expression E != NULL, N;
position p;
@@

struct vm_operations_struct I[...] = { ..., [N] = { .F@p = E, }, ... };

// A vm_operations_struct inside another structure
@outer@
identifier S, M;
@@

struct S {
	...
	struct vm_operations_struct M;
	...
};

@initnested@
identifier outer.S, outer.M;
identifier I, F =~ "us*e*r*ff*a*[du]";
expression E != NULL;
position p;
@@

struct S I = { .M = { .F@p = E, }, };

// The type of the table is not known here, its name is
@initmember@
identifier S, I, M =~ "ops$", F =~ "us*e*r*ff*a*[du]";
expression E != NULL;
position p;
@@

struct S I = { .M.F@p = E, };

@alias@
type T;
@@

typedef struct vm_operations_struct T;

@initalias@
type alias.T;
identifier I, F =~ "us*e*r*ff*a*[du]";
expression E != NULL;
position p;
@@

T I = { .F@p = E, };

@literal@
identifier F =~ "us*e*r*ff*a*[du]";
expression E != NULL;
position p;
@@

  (struct vm_operations_struct){ .F@p = E, }

@store@
struct vm_operations_struct V;
identifier F =~ "us*e*r*ff*a*[du]";
identifier set = {WRITE_ONCE, smp_store_release, rcu_assign_pointer};
expression E != NULL;
position p;
@@

(
  V.F@p = E
|
  set(V.F@p, E)
)

// The type of the table is not known here (no header read), its name is
@storevma@
expression V;
identifier F =~ "us*e*r*ff*a*[du]";
expression E != NULL;
position p != store.p;
@@

(
  V->vm_ops->F@p = E
|
  V->vm_ops.F@p = E
|
  V.vm_ops.F@p = E
)

@used@
expression V;
expression E != NULL;
@@

(
  V->vm_ops = E
|
  V.vm_ops = E
)

@usedinit@
identifier I, S;
expression E != NULL;
@@

struct S I = { .vm_ops = E, };

@cleared depends on copies forall@
struct vm_operations_struct V;
identifier F =~ "us*e*r*ff*a*[du]";
identifier cp = {memcpy, memmove};
expression E;
position p;
@@

(
  V =@p E
|
  cp@p(&V, E, ...)
)
  ... when any
  V.F = NULL

@clearedptr depends on copies forall@
struct vm_operations_struct *P;
identifier F =~ "us*e*r*ff*a*[du]";
identifier cp = {memcpy, memmove};
identifier dup = {kmemdup, kmemdup_noprof};
identifier devdup = {devm_kmemdup};
expression E, X;
position p;
@@

(
  *P =@p E
|
  cp@p(P, E, ...)
|
  P = dup@p(E, ...)
|
  P = devdup@p(X, E, ...)
)
  ... when any
  P->F = NULL

@copy depends on copies && (used || usedinit)@
struct vm_operations_struct V, W;
struct vm_operations_struct *P;
struct vm_operations_struct *Q;
expression E, X;
identifier cp = {memcpy, memmove};
identifier dup = {kmemdup, kmemdup_noprof};
identifier devdup = {devm_kmemdup};
position p != {cleared.p, clearedptr.p};
@@

(
  V = (struct vm_operations_struct){ ... }
|
  V =@p E
|
  X =@p *E->vm_ops
|
  cp@p(P, E, ...)
|
  cp@p(X, \(E->vm_ops\|Q\|&W\), ...)
|
  dup@p(\(E->vm_ops\|Q\|&W\), ...)
|
  devdup@p(X, \(E->vm_ops\|Q\|&W\), ...)
)

//----------------------------------------------------------
//  For context mode
//----------------------------------------------------------

@depends on context@
identifier F;
type T;
position member.p;
@@

struct vm_operations_struct {
	...
*	T F@p;
	...
};

@depends on context@
identifier I, F;
expression E;
position init.p;
@@

struct vm_operations_struct I = {
*	.F@p = E,
};

@depends on context@
identifier I, F;
expression E;
position initold.p;
@@

struct vm_operations_struct I = {
*	F@p : E,
};

@depends on context@
identifier I, F;
expression E;
position initarray.p;
@@

struct vm_operations_struct I[...] = { ...,
*	{ .F@p = E, },
	... };

@depends on context@
identifier I, F;
expression E, N;
position initindex.p;
@@

struct vm_operations_struct I[...] = { ...,
*	[N] = { .F@p = E, },
	... };

@depends on context@
identifier I, F, S, M;
expression E;
position initnested.p;
@@

struct S I = {
*	.M = { .F@p = E, },
};

@depends on context@
identifier I, F, S, M;
expression E;
position initmember.p;
@@

struct S I = {
*	.M.F@p = E,
};

@depends on context@
type T;
identifier I, F;
expression E;
position initalias.p;
@@

T I = {
*	.F@p = E,
};

@depends on context@
identifier F;
expression E;
position literal.p;
@@

* (struct vm_operations_struct){ .F@p = E, }

@depends on context@
struct vm_operations_struct V;
identifier F;
position store.p;
@@

* V.F@p

@depends on context@
expression V;
identifier F;
position storevma.p;
@@

(
* V->F@p
|
* V.F@p
)

@depends on context@
identifier f;
expression V, E;
position copy.p;
@@

(
* V =@p E
|
* f@p(...)
)

//----------------------------------------------------------
//  For org and report mode
//----------------------------------------------------------

@initialize:python depends on org@
@@

def say(p, message):
	coccilib.org.print_todo(p, message)

@initialize:python depends on report@
@@

def say(p, message):
	coccilib.report.print_report(p, message)

@script:python depends on org || report@
p << member.p;
x << member.F;
@@

say(p[0], "vm_operations_struct has a userfaultfd hook: %s" % x)

@script:python depends on org || report@
p << init.p;
x << init.I;
@@

say(p[0], "userfaultfd hook in the vm_operations_struct %s" % x)

@script:python depends on org || report@
p << initold.p;
x << initold.I;
@@

say(p[0], "userfaultfd hook in the vm_operations_struct %s" % x)

@script:python depends on org || report@
p << initarray.p;
x << initarray.I;
@@

say(p[0], "userfaultfd hook in the vm_operations_struct %s" % x)

@script:python depends on org || report@
p << initindex.p;
x << initindex.I;
@@

say(p[0], "userfaultfd hook in the vm_operations_struct %s" % x)

@script:python depends on org || report@
p << initnested.p;
x << initnested.I;
@@

say(p[0], "userfaultfd hook in the vm_operations_struct %s" % x)

@script:python depends on org || report@
p << initmember.p;
x << initmember.I;
@@

say(p[0], "userfaultfd hook in the vm_operations_struct %s" % x)

@script:python depends on org || report@
p << initalias.p;
x << initalias.I;
@@

say(p[0], "userfaultfd hook in the vm_operations_struct %s" % x)

@script:python depends on org || report@
p << literal.p;
x << literal.F;
@@

say(p[0], "vm_operations_struct gets a userfaultfd hook: %s" % x)

@script:python depends on org || report@
p << store.p;
x << store.F;
@@

say(p[0], "vm_operations_struct gets a userfaultfd hook: %s" % x)

@script:python depends on org || report@
p << storevma.p;
x << storevma.F;
@@

say(p[0], "vm_operations_struct gets a userfaultfd hook: %s" % x)

@script:python depends on org || report@
p << copy.p;
@@

say(p[0], "copy of a vm_operations_struct takes its userfaultfd hook along")
